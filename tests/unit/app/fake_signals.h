// Signals that a test sends, and time that a test's clock tells.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "app/signals.h"
#include "base/clock.h"

namespace roster::app {

/// Thread-safe.
class FakeSignals final : public Signals {
 public:
  explicit FakeSignals(const Clock& clock) : clock_(clock) {}

  /// Another thread may move the clock: it is looked at every millisecond.
  int Wait(MonoTime deadline) override {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!pending_.empty()) {
        const int next = pending_.front();
        pending_.pop_front();
        return next;
      }
      if (clock_.Mono() >= deadline) return 0;
      changed_.wait_for(lock, std::chrono::milliseconds(1));
    }
  }
  void Wake() override { Send(0); }

  void Send(int signal) {
    {
      const std::lock_guard lock(mutex_);
      pending_.push_back(signal);
    }
    changed_.notify_one();
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<int> pending_;
};

/// True as soon as `condition` is; false if it is not within 20 s of real time, which only a
/// failing test waits.
template <class Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable never;
    never.wait_for(lock, std::chrono::milliseconds(1));
  }
  return condition();
}

}  // namespace roster::app
