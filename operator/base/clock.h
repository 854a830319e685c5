// Time, injected. Pure code takes time points as parameters; everything else takes a Clock&. The
// clock owns waiting, so that a test decides when time passes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roster {

/// Calendar time, UTC, for what people and the API read. May jump; never used to measure a
/// duration.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// Elapsed time that also runs while the machine sleeps (CLOCK_BOOTTIME). Comparable within one
/// process only.
struct MonoClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Wall() const = 0;
  virtual MonoTime Mono() const = 0;

  /// Waits on `cv`, with `lock` held, until it is notified, `deadline` has come or `stop` is
  /// requested, whichever is first. May also return for no reason: callers loop on their condition.
  /// MonoTime::max() means no deadline.
  virtual void Wait(std::condition_variable_any& cv, std::unique_lock<std::mutex>& lock,
                    MonoTime deadline, std::stop_token stop) const = 0;

  /// False if `stop` was requested before `deadline`.
  bool SleepUntil(MonoTime deadline, std::stop_token stop) const;
  bool SleepFor(MonoClock::duration delay, std::stop_token stop) const {
    return SleepUntil(Mono() + delay, std::move(stop));
  }
};

/// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  WallTime Wall() const override;
  MonoTime Mono() const override;
  void Wait(std::condition_variable_any& cv, std::unique_lock<std::mutex>& lock, MonoTime deadline,
            std::stop_token stop) const override;
};

/// "2026-01-02T03:04:05Z", whole seconds as metav1.Time has them.
std::string FormatTime(WallTime time);
/// Reads RFC 3339 ("2026-01-02T03:04:05Z", fractions and offsets too). Errors: kInvalid, naming the
/// value.
Result<WallTime> ParseTime(std::string_view text);
/// "2026-01-02T03:04:05.123456Z" as metav1.MicroTime has them.
std::string FormatMicroTime(WallTime time);

}  // namespace roster
