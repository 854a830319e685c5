#include "base/clock.h"

#include <fmt/chrono.h>
#include <time.h>

namespace roster {

bool Clock::SleepUntil(MonoTime deadline, std::stop_token stop) const {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested() && Mono() < deadline) {
    Wait(never_notified, lock, deadline, stop);
  }
  return !stop.stop_requested();
}

WallTime SystemClock::Wall() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MonoTime SystemClock::Mono() const {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return MonoTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

void SystemClock::Wait(std::condition_variable_any& cv, std::unique_lock<std::mutex>& lock,
                       MonoTime deadline, std::stop_token stop) const {
  // The predicate ends the wait at the first notification; a bare wait_until takes no stop token.
  bool woken = false;
  auto once = [&woken] { return std::exchange(woken, true); };
  if (deadline == MonoTime::max()) {
    cv.wait(lock, stop, once);
    return;
  }
  const auto left = deadline - Mono();
  if (left > MonoClock::duration::zero()) cv.wait_for(lock, stop, left, once);
}

std::string FormatTime(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

Result<WallTime> ParseTime(std::string_view text) {
  const auto refuse = [&]() -> Result<WallTime> {
    return Error{ErrorKind::kInvalid,
                 fmt::format("\"{}\" is no RFC 3339 time, as in \"2026-01-02T03:04:05Z\"", text)};
  };
  // Fixed positions: YYYY-MM-DDTHH:MM:SS, then an optional fraction, then Z or an offset.
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size()) return refuse();
  for (size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[i];
    const bool matches = kShape[i] == '0' ? (c >= '0' && c <= '9')
                                          : (c == kShape[i] || (i == 10 && (c == 't' || c == ' ')));
    if (!matches) return refuse();
  }
  const auto number = [&](size_t at, size_t length) {
    int value = 0;
    for (size_t i = at; i < at + length; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const std::chrono::year_month_day date{std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) return refuse();
  std::string_view rest = text.substr(kShape.size());
  int64_t micros = 0;
  if (rest.front() == '.') {
    rest.remove_prefix(1);
    int64_t scale = 100'000;
    size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
      micros += (rest[digits] - '0') * scale;
      scale /= 10;
    }
    if (digits == 0) return refuse();
    rest.remove_prefix(digits);
  }
  std::chrono::minutes offset{0};
  if (rest != "Z" && rest != "z") {
    const auto digit = [&](size_t i) { return rest[i] >= '0' && rest[i] <= '9'; };
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !digit(1) ||
        !digit(2) || !digit(4) || !digit(5)) {
      return refuse();
    }
    const int hours = (rest[1] - '0') * 10 + rest[2] - '0';
    const int minutes = (rest[4] - '0') * 10 + rest[5] - '0';
    if (hours > 23 || minutes > 59) return refuse();
    offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    if (rest[0] == '-') offset = -offset;
  }
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2)) +
         std::chrono::microseconds(micros) - offset;
}

std::string FormatMicroTime(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds), (time - seconds).count());
}

}  // namespace roster
