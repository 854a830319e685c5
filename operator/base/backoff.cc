#include "base/backoff.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <random>

namespace roster {

Jitter RandomJitter() {
  struct State {
    std::mutex mutex;
    std::mt19937_64 engine{std::random_device{}()};
    std::uniform_real_distribution<double> uniform{0.0, 1.0};
  };
  return [state = std::make_shared<State>()] {
    std::lock_guard lock(state->mutex);
    return state->uniform(state->engine);
  };
}

std::chrono::milliseconds ExponentialDelay(const Backoff::Policy& policy, uint32_t n) {
  if (policy.initial <= policy.initial.zero()) return policy.initial.zero();
  const double cap = static_cast<double>(policy.cap.count());
  const double delay = static_cast<double>(policy.initial.count()) * std::pow(policy.factor, n);
  // pow overflows to infinity, never to a small number, so the comparison with the cap stays right.
  return std::chrono::milliseconds(static_cast<int64_t>(std::min(delay, cap)));
}

std::chrono::milliseconds Backoff::Next() {
  const auto whole = ExponentialDelay(policy_, attempts_);
  if (attempts_ < 1000) ++attempts_;
  const double share = 0.5 + 0.5 * jitter_();
  const auto delay =
      std::chrono::milliseconds(static_cast<int64_t>(static_cast<double>(whole.count()) * share));
  return std::max(delay, std::chrono::milliseconds(1));
}

}  // namespace roster
