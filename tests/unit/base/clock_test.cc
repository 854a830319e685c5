#include "base/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace roster {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

WallTime At(int64_t seconds_since_1970, int64_t micros = 0) {
  return WallTime(std::chrono::seconds(seconds_since_1970)) + std::chrono::microseconds(micros);
}

TEST(TimeTest, ReadsRfc3339) {
  const struct {
    std::string_view text;
    WallTime time;
  } table[] = {
      {"1970-01-01T00:00:00Z", At(0)},
      {"2026-01-02T03:04:05Z", At(1767323045)},
      {"2026-01-02t03:04:05z", At(1767323045)},
      {"2026-01-02 03:04:05Z", At(1767323045)},
      {"2026-01-02T04:04:05+01:00", At(1767323045)},
      {"2026-01-01T21:34:05-05:30", At(1767323045)},
      {"2026-01-02T03:04:05+00:00", At(1767323045)},
      {"2026-01-02T03:04:05-00:00", At(1767323045)},
      {"2026-01-02T03:04:05.5Z", At(1767323045, 500'000)},
      {"2026-01-02T03:04:05.123456Z", At(1767323045, 123'456)},
      {"2026-01-02T03:04:05.123456789Z", At(1767323045, 123'456)},  // cut, not rounded
      {"2026-01-02T03:04:05.000001+00:00", At(1767323045, 1)},
      {"2024-02-29T12:00:00Z", At(1709208000)},
      {"2000-02-29T00:00:00Z", At(951782400)},
      {"2016-12-31T23:59:60Z", At(1483228800)},  // the leap second is the next day's first
      {"1969-12-31T23:59:59Z", At(-1)},
      {"9999-12-31T23:59:59Z", At(253402300799)},
  };
  for (const auto& [text, time] : table) {
    SCOPED_TRACE(text);
    const auto parsed = ParseTime(text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(*parsed, time);
  }
}

TEST(TimeTest, RefusesEverythingElseAndNamesTheValue) {
  const std::string_view table[] = {
      "",
      "now",
      "2026-01-02",
      "2026-01-02T03:04:05",  // no zone
      "2026-01-02T03:04Z",
      "2026-1-2T03:04:05Z",
      "2026-13-02T03:04:05Z",
      "2026-00-02T03:04:05Z",
      "2026-02-30T03:04:05Z",
      "2025-02-29T03:04:05Z",  // no leap year
      "1900-02-29T03:04:05Z",  // nor this
      "2026-01-00T03:04:05Z",
      "2026-01-02T24:00:00Z",
      "2026-01-02T03:60:05Z",
      "2026-01-02T03:04:61Z",
      "2026-01-02T03:04:05.Z",
      "2026-01-02T03:04:05,5Z",
      "2026-01-02T03:04:05ZZ",
      "2026-01-02T03:04:05Z ",
      "2026-01-02T03:04:05+1:00",
      "2026-01-02T03:04:05+0100",
      "2026-01-02T03:04:05+24:00",
      "2026-01-02T03:04:05+01:60",
      "2026-01-02T03:04:05UTC",
      "-026-01-02T03:04:05Z",
      "2026/01/02T03:04:05Z",
      "1767323045",
  };
  for (const std::string_view text : table) {
    SCOPED_TRACE(text);
    const auto parsed = ParseTime(text);
    ASSERT_FALSE(parsed.ok()) << FormatTime(*parsed);
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(parsed.error().message, HasSubstr("\"" + std::string(text) + "\""));
  }
}

TEST(TimeTest, WritesWholeSecondsAndMicroseconds) {
  EXPECT_EQ(FormatTime(At(1767323045, 999'999)), "2026-01-02T03:04:05Z");
  EXPECT_EQ(FormatMicroTime(At(1767323045, 42)), "2026-01-02T03:04:05.000042Z");
  EXPECT_EQ(FormatTime(At(-1)), "1969-12-31T23:59:59Z");
  EXPECT_EQ(FormatMicroTime(At(0, -1)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTime(At(1709208000)), "2024-02-29T12:00:00Z");
}

TEST(TimeTest, ReadsBackWhatItWrites) {
  for (const int64_t seconds : {-86400L, 0L, 951782399L, 1767323045L, 4102444800L}) {
    EXPECT_EQ(ParseTime(FormatTime(At(seconds))).value(), At(seconds));
    EXPECT_EQ(ParseTime(FormatMicroTime(At(seconds, 7))).value(), At(seconds, 7));
  }
}

TEST(SystemClockTest, SleepsUntilTheDeadline) {
  const SystemClock clock;
  const MonoTime deadline = clock.Mono() + 5ms;
  EXPECT_TRUE(clock.SleepUntil(deadline, {}));
  EXPECT_GE(clock.Mono(), deadline);
}

TEST(SystemClockTest, DoesNotSleepForADeadlineThatHasPassed) {
  const SystemClock clock;
  EXPECT_TRUE(clock.SleepFor(0ns, {}));
  EXPECT_TRUE(clock.SleepUntil(clock.Mono() - 1h, {}));
}

TEST(SystemClockTest, WakesAtOnceWhenStopIsRequested) {
  const SystemClock clock;
  std::stop_source stop;
  bool slept = true;
  {
    std::jthread sleeper([&] { slept = clock.SleepUntil(MonoTime::max(), stop.get_token()); });
    EXPECT_TRUE(clock.SleepFor(2ms, {}));
    stop.request_stop();
  }
  EXPECT_FALSE(slept);
}

TEST(SystemClockTest, DoesNotSleepWhenStopWasRequestedBefore) {
  const SystemClock clock;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.SleepFor(1h, stop.get_token()));
}

TEST(SystemClockTest, WaitEndsAtANotification) {
  const SystemClock clock;
  std::mutex mutex;
  std::condition_variable_any cv;
  bool changed = false;
  std::jthread notifier([&] {
    {
      std::lock_guard lock(mutex);
      changed = true;
    }
    cv.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!changed) clock.Wait(cv, lock, MonoTime::max(), {});
  EXPECT_TRUE(lock.owns_lock());
}

TEST(SystemClockTest, WaitEndsAtItsDeadlineWithTheLockHeld) {
  const SystemClock clock;
  std::mutex mutex;
  std::condition_variable_any cv;
  std::unique_lock lock(mutex);
  const MonoTime deadline = clock.Mono() + 3ms;
  while (clock.Mono() < deadline) clock.Wait(cv, lock, deadline, {});
  EXPECT_TRUE(lock.owns_lock());
}

}  // namespace
}  // namespace roster
