#include "fakes/fake_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace roster::fake {
namespace {

using namespace std::chrono_literals;

TEST(FakeClockTest, AdvancingMovesBothClocksAndAJumpOnlyTheWall) {
  FakeClock clock;
  EXPECT_EQ(FormatTime(clock.Wall()), "2026-01-02T03:04:05Z");
  const MonoTime start = clock.Mono();
  clock.Advance(90s);
  EXPECT_EQ(clock.Mono() - start, 90s);
  EXPECT_EQ(FormatTime(clock.Wall()), "2026-01-02T03:05:35Z");
  clock.SetWall(FakeClock::DefaultStart() - 1h);
  EXPECT_EQ(FormatTime(clock.Wall()), "2026-01-02T02:04:05Z");
  EXPECT_EQ(clock.Mono() - start, 90s);
  clock.Advance(1s);
  EXPECT_EQ(FormatTime(clock.Wall()), "2026-01-02T02:04:06Z");
}

TEST(FakeClockTest, WithOneThreadASleepTakesItsTimeAtOnce) {
  FakeClock clock;
  const MonoTime start = clock.Mono();
  EXPECT_TRUE(clock.SleepFor(10h, {}));
  EXPECT_EQ(clock.Mono() - start, 10h);
}

TEST(FakeClockTest, AStoppedSleepDoesNotMoveTheClock) {
  FakeClock clock;
  std::stop_source stop;
  stop.request_stop();
  const MonoTime start = clock.Mono();
  EXPECT_FALSE(clock.SleepFor(10h, stop.get_token()));
  EXPECT_EQ(clock.Mono(), start);
}

TEST(FakeClockTest, WithThreadsASleepLastsUntilTheTestMovesTheClock) {
  FakeClock clock;
  clock.AutoAdvance(false);
  const MonoTime deadline = clock.Mono() + 10s;
  std::atomic<bool> slept{false};
  std::jthread sleeper([&] {
    clock.SleepUntil(deadline, {});
    slept = true;
  });
  clock.Advance(10s - 1ns);
  std::this_thread::sleep_for(5ms);  // As many polls as a wrong wake-up would need.
  EXPECT_FALSE(slept);
  clock.Advance(1ns);
  sleeper.join();
  EXPECT_TRUE(slept);
}

TEST(FakeClockTest, AStopEndsASleep) {
  FakeClock clock;
  clock.AutoAdvance(false);
  std::atomic<bool> in_full{true};
  {
    std::jthread sleeper([&](std::stop_token stop) {
      in_full = clock.SleepUntil(MonoTime::max(), std::move(stop));
    });
  }
  EXPECT_FALSE(in_full);
}

}  // namespace
}  // namespace roster::fake
