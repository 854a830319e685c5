#include "controller/work_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "fakes/fake_clock.h"

namespace roster::controller {
namespace {

using namespace std::chrono_literals;
using Key = WorkQueue::Key;

class CountingObserver final : public Observer {
 public:
  void QueueAdded() override { ++added; }
  void QueueRetried() override { ++retried; }
  void QueueWaited(Duration d) override { waited = d; }
  void QueueWorked(Duration d) override { worked = d; }
  std::atomic<int> added = 0;
  std::atomic<int> retried = 0;
  Duration waited{};
  Duration worked{};
};

class WorkQueueTest : public ::testing::Test {
 protected:
  static Key K(const std::string& name) { return {"ns", name}; }
  std::string Next() {
    const auto key = queue_.TryPop();
    return key ? key->name : "(none)";
  }
  void Finish(const std::string& name) { queue_.Done(K(name)); }

  fake::FakeClock clock_;
  CountingObserver observer_;
  WorkQueue queue_{clock_, observer_, {}};
};

TEST_F(WorkQueueTest, GivesKeysInTheOrderInWhichTheyCame) {
  for (const char* name : {"a", "b", "c"}) queue_.Add(K(name));
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "b");
  EXPECT_EQ(Next(), "c");
  EXPECT_EQ(Next(), "(none)");
}

TEST_F(WorkQueueTest, HoldsAKeyOnceHoweverOftenItIsAdded) {
  for (int i = 0; i < 5; ++i) queue_.Add(K("a"));
  EXPECT_EQ(observer_.added, 1);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "(none)");
}

TEST_F(WorkQueueTest, NeverGivesAKeyThatIsBeingWorkedOnButGivesItAgainAfterwards) {
  queue_.Add(K("a"));
  EXPECT_EQ(Next(), "a");
  queue_.Add(K("a"));
  queue_.Add(K("a"));
  EXPECT_EQ(Next(), "(none)");
  Finish("a");
  EXPECT_EQ(Next(), "a");
  Finish("a");
  EXPECT_EQ(Next(), "(none)");
}

TEST_F(WorkQueueTest, ADelayedKeyComesWhenItsTimeHasComeAndNotBefore) {
  queue_.AddAfter(K("a"), 10s);
  clock_.Advance(10s - 1ms);
  EXPECT_EQ(Next(), "(none)");
  clock_.Advance(1ms);
  EXPECT_EQ(Next(), "a");
}

TEST_F(WorkQueueTest, TheEarliestOfSeveralDelaysWins) {
  queue_.AddAfter(K("a"), 10s);
  queue_.AddAfter(K("a"), 2s);
  queue_.AddAfter(K("a"), 5s);
  clock_.Advance(2s);
  EXPECT_EQ(Next(), "a");
  Finish("a");
  clock_.Advance(1min);
  EXPECT_EQ(Next(), "(none)") << "the later delays went with the earlier one";
}

TEST_F(WorkQueueTest, AKeyAddedAtOnceStillComesAgainAfterItsDelay) {
  queue_.AddAfter(K("a"), 10s);
  queue_.Add(K("a"));
  EXPECT_EQ(Next(), "a");
  Finish("a");
  clock_.Advance(10s);
  EXPECT_EQ(Next(), "a");
}

TEST_F(WorkQueueTest, BackoffDoublesPerKeyUpToItsCapAndForgetResetsIt) {
  std::vector<int64_t> delays;
  for (int i = 0; i < 13; ++i) delays.push_back(queue_.AddBackoff(K("a")).count());
  EXPECT_EQ(delays, (std::vector<int64_t>{5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10000,
                                          10000}));
  EXPECT_EQ(queue_.AddBackoff(K("b")).count(), 5);
  queue_.Forget(K("a"));
  EXPECT_EQ(queue_.AddBackoff(K("a")).count(), 5);
  EXPECT_EQ(observer_.retried, 15);
}

TEST_F(WorkQueueTest, FreshChangesGoBeforeTheBacklog) {
  queue_.Add(K("old1"), Priority::kBackground);
  queue_.Add(K("old2"), Priority::kBackground);
  queue_.Add(K("new"));
  EXPECT_EQ(Next(), "new");
  EXPECT_EQ(Next(), "old1");
  EXPECT_EQ(Next(), "old2");
}

TEST_F(WorkQueueTest, TheBacklogGoesFirstOnceItHasWaitedLongerThanTheHeadStart) {
  queue_.Add(K("old"), Priority::kBackground);
  clock_.Advance(5s + 1ms);
  queue_.Add(K("new"));
  EXPECT_EQ(Next(), "old") << "a steady stream of changes must not starve it";
  EXPECT_EQ(Next(), "new");
}

TEST_F(WorkQueueTest, AFreshChangeOfABackgroundKeyMovesItUp) {
  queue_.Add(K("other"), Priority::kBackground);
  queue_.Add(K("mine"), Priority::kBackground);
  queue_.Add(K("mine"));
  EXPECT_EQ(Next(), "mine");
  EXPECT_EQ(Next(), "other");
  EXPECT_EQ(observer_.added, 2);
}

TEST_F(WorkQueueTest, TellsHowLongKeysWaitedAndWereWorkedOn) {
  queue_.Add(K("a"));
  clock_.Advance(3s);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(observer_.waited, 3s);
  clock_.Advance(2s);
  auto stats = queue_.stats();
  EXPECT_EQ(stats.processing, 1U);
  EXPECT_EQ(stats.longest_running, 2s);
  Finish("a");
  EXPECT_EQ(observer_.worked, 2s);
  EXPECT_EQ(queue_.stats().processing, 0U);
}

TEST_F(WorkQueueTest, PopReturnsNothingOnceStopIsRequested) {
  std::optional<Key> popped = K("unset");
  {
    std::jthread worker([&](std::stop_token stop) { popped = queue_.Pop(stop); });
    worker.request_stop();
  }
  EXPECT_EQ(popped, std::nullopt);
}

TEST(WorkQueueThreadsTest, ManyWorkersNeverHoldOneKeyTwiceAndLoseNoKey) {
  SystemClock clock;
  Observer observer;
  WorkQueue queue(clock, observer, {});
  constexpr int kKeys = 20;
  constexpr int kAdds = 2000;
  std::array<std::atomic<int>, kKeys> holders{};
  std::array<std::atomic<int>, kKeys> seen{};    // the newest add that a worker has seen
  std::array<std::atomic<int>, kKeys> wanted{};  // the newest add
  std::atomic<bool> twice = false;
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w) {
      workers.emplace_back([&](std::stop_token stop) {
        while (const auto key = queue.Pop(stop)) {
          const size_t k = std::stoul(key->name);
          if (holders[k].fetch_add(1) != 0) twice = true;
          seen[k] = wanted[k].load();
          holders[k].fetch_sub(1);
          queue.Done(*key);
        }
      });
    }
    for (int i = 0; i < kAdds; ++i) {
      const size_t k = static_cast<size_t>(i % kKeys);
      ++wanted[k];
      queue.Add({"ns", std::to_string(k)});
    }
    const auto all_seen = [&] {
      for (size_t k = 0; k < kKeys; ++k) {
        if (seen[k] != wanted[k]) return false;
      }
      return true;
    };
    while (!all_seen()) std::this_thread::yield();
  }
  EXPECT_FALSE(twice);
}

}  // namespace
}  // namespace roster::controller
