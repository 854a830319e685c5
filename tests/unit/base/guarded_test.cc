#include "base/guarded.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace roster {
namespace {

using namespace std::chrono_literals;

TEST(GuardedTest, BuildsItsValueFromTheArguments) {
  Guarded<std::string> text(3u, 'x');
  EXPECT_EQ(*text.Lock(), "xxx");
  EXPECT_EQ(text.Lock()->size(), 3u);
}

TEST(GuardedTest, CountsRightWithManyThreads) {
  Guarded<int> count(0);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) ++*count.Lock();
      });
    }
  }
  EXPECT_EQ(*count.Lock(), 8000);
}

TEST(GuardedTest, WaitsUntilNotifiedAndLetsOthersInMeanwhile) {
  const SystemClock clock;
  Guarded<bool> done(false);
  std::jthread setter([&] {
    *done.Lock() = true;
    done.NotifyOne();
  });
  auto handle = done.Lock();
  while (!*handle) handle.Wait(clock, MonoTime::max(), {});
  EXPECT_TRUE(*handle);
}

TEST(GuardedTest, NotifyAllWakesEveryWaiter) {
  const SystemClock clock;
  Guarded<bool> go(false);
  Guarded<int> gone(0);
  {
    std::vector<std::jthread> waiters;
    for (int i = 0; i < 4; ++i) {
      waiters.emplace_back([&] {
        auto handle = go.Lock();
        while (!*handle) handle.Wait(clock, MonoTime::max(), {});
        ++*gone.Lock();
      });
    }
    *go.Lock() = true;
    go.NotifyAll();
  }
  EXPECT_EQ(*gone.Lock(), 4);
}

TEST(GuardedTest, WaitEndsWhenStopIsRequested) {
  const SystemClock clock;
  Guarded<int> never(0);
  std::stop_source stop;
  std::jthread waiter([&] {
    auto handle = never.Lock();
    while (!stop.stop_requested()) handle.Wait(clock, MonoTime::max(), stop.get_token());
  });
  stop.request_stop();  // the join is the assertion: it would hang
}

TEST(GuardedTest, WaitEndsAtItsDeadline) {
  const SystemClock clock;
  Guarded<int> never(0);
  const MonoTime deadline = clock.Mono() + 2ms;
  auto handle = never.Lock();
  while (clock.Mono() < deadline) handle.Wait(clock, deadline, {});
  EXPECT_GE(clock.Mono(), deadline);
}

TEST(SharedGuardedTest, ReadersNeverSeeAHalfWrittenValue) {
  struct Pair {
    int a = 0;
    int b = 0;
  };
  SharedGuarded<Pair> pair;
  std::stop_source stop;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back([&] {
        while (!stop.stop_requested()) {
          ASSERT_TRUE(pair.Read([](const Pair& p) { return p.a == p.b; }));
        }
      });
    }
    for (int i = 1; i <= 2000; ++i) {
      pair.Write([i](Pair& p) {
        p.a = i;
        p.b = i;
      });
    }
    stop.request_stop();
  }
  EXPECT_EQ(pair.Read([](const Pair& p) { return p.a; }), 2000);
}

TEST(SharedGuardedTest, LetsTwoReadersInAtOnce) {
  const SharedGuarded<int> value(7);
  // The inner read would never return if the outer one kept others out.
  const int inner = value.Read([&](const int&) {
    int seen = 0;
    std::jthread([&] { seen = value.Read([](const int& v) { return v; }); }).join();
    return seen;
  });
  EXPECT_EQ(inner, 7);
}

}  // namespace
}  // namespace roster
