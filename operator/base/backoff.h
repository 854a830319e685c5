// Exponential back-off with jitter, so that many callers do not all try again in the same moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace roster {

/// A uniform random number in [0, 1). Injected, so that tests are repeatable.
using Jitter = std::function<double()>;
/// Seeded from the operating system. Thread-safe.
Jitter RandomJitter();

/// Not thread-safe.
class Backoff {
 public:
  struct Policy {
    std::chrono::milliseconds initial{800};
    std::chrono::milliseconds cap{5000};
    double factor = 2.0;
  };

  Backoff(Policy policy, Jitter jitter) : policy_(policy), jitter_(std::move(jitter)) {}

  /// The next delay: uniform in [half, whole] of initial × factor^n, at most `cap`. Never zero, so
  /// that a failing call can never become a hot loop.
  std::chrono::milliseconds Next();
  void Reset() { attempts_ = 0; }
  uint32_t attempts() const { return attempts_; }

 private:
  Policy policy_;
  Jitter jitter_;
  uint32_t attempts_ = 0;
};

/// initial × factor^n, at most `cap`, without jitter or overflow.
std::chrono::milliseconds ExponentialDelay(const Backoff::Policy& policy, uint32_t n);

}  // namespace roster
