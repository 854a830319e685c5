// A clock that a test moves by hand.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "base/clock.h"

namespace roster::fake {

/// Thread-safe.
class FakeClock final : public Clock {
 public:
  /// 2026-01-02T03:04:05Z: no test depends on today.
  static WallTime DefaultStart();

  explicit FakeClock(WallTime start = DefaultStart());

  WallTime Wall() const override;
  MonoTime Mono() const override;

  /// While time advances by itself (see AutoAdvance), a wait with a deadline moves the clock there
  /// and returns. Otherwise it lasts until it is notified or a real millisecond has passed, so that
  /// a caller which loops on its condition misses neither an Advance nor a notification.
  void Wait(std::condition_variable_any& cv, std::unique_lock<std::mutex>& lock, MonoTime deadline,
            std::stop_token stop) const override;

  /// Moves both clocks forward.
  void Advance(MonoClock::duration by);
  /// Lets calendar time jump, back or forth; elapsed time does not notice.
  void SetWall(WallTime wall);

  /// On at first, which suits a test with one thread: nobody else could move the clock while it
  /// waits. A test that starts threads turns it off.
  void AutoAdvance(bool on) { auto_advance_ = on; }

 private:
  void AdvanceTo(MonoTime deadline) const;

  // Nanoseconds. Atomic and not under one lock: readers hold locks of their own, in any order.
  mutable std::atomic<int64_t> mono_{0};
  std::atomic<int64_t> wall_at_zero_;  // Calendar time when mono_ was 0.
  std::atomic<bool> auto_advance_{true};
};

}  // namespace roster::fake
