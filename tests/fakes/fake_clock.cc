#include "fakes/fake_clock.h"

namespace roster::fake {

WallTime FakeClock::DefaultStart() {
  using namespace std::chrono_literals;
  return std::chrono::sys_days(std::chrono::January / 2 / 2026) + 3h + 4min + 5s;
}

FakeClock::FakeClock(WallTime start)
    : wall_at_zero_(std::chrono::nanoseconds(start.time_since_epoch()).count()) {}

WallTime FakeClock::Wall() const {
  const std::chrono::nanoseconds since_epoch(wall_at_zero_ + mono_);
  return WallTime(std::chrono::floor<std::chrono::microseconds>(since_epoch));
}

MonoTime FakeClock::Mono() const {
  return MonoTime(MonoClock::duration(mono_));
}

void FakeClock::Wait(std::condition_variable_any& cv, std::unique_lock<std::mutex>& lock,
                     MonoTime deadline, std::stop_token stop) const {
  if (stop.stop_requested() || Mono() >= deadline) return;
  if (auto_advance_ && deadline != MonoTime::max()) {
    AdvanceTo(deadline);
    return;
  }
  cv.wait_for(lock, std::chrono::milliseconds(1));
}

void FakeClock::Advance(MonoClock::duration by) {
  mono_ += by.count();
}

void FakeClock::AdvanceTo(MonoTime deadline) const {
  const int64_t target = deadline.time_since_epoch().count();
  int64_t now = mono_;
  while (now < target && !mono_.compare_exchange_weak(now, target)) {
  }
}

void FakeClock::SetWall(WallTime wall) {
  wall_at_zero_ = std::chrono::nanoseconds(wall.time_since_epoch()).count() - mono_;
}

}  // namespace roster::fake
