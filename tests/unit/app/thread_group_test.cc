#include "app/thread_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "unit/app/fake_signals.h"

namespace roster::app {
namespace {

class ThreadGroupTest : public ::testing::Test {
 protected:
  ThreadGroup::Callbacks Callbacks() {
    return {[this] { ++ended_; },
            [this](const std::string& thread, const std::string& what) {
              crashes_.Lock()->push_back(thread + ": " + what);
            }};
  }
  static void UntilAsked(std::stop_token stop) {
    Eventually([&] { return stop.stop_requested(); });
  }

  std::atomic<int> ended_ = 0;
  Guarded<std::vector<std::string>> crashes_;
};

TEST_F(ThreadGroupTest, NamesTheThreadsThatRun) {
  ThreadGroup group(Callbacks());
  std::atomic<bool> stay = true;
  group.Start("b", [&](std::stop_token) { Eventually([&] { return !stay; }); });
  group.Start("a", UntilAsked);
  EXPECT_EQ(group.Running(), (std::vector<std::string>{"a", "b"}));
  group.RequestStop();
  EXPECT_TRUE(Eventually([&] { return group.Running() == std::vector<std::string>{"b"}; }));
  stay = false;
  EXPECT_TRUE(Eventually([&] { return group.Running().empty() && ended_ == 2; }));
  EXPECT_TRUE(crashes_.Lock()->empty());
}

TEST_F(ThreadGroupTest, TellsOfABodyThatThrows) {
  ThreadGroup group(Callbacks());
  group.Start("t", [](std::stop_token) { throw std::runtime_error("boom"); });
  EXPECT_TRUE(Eventually([&] { return ended_ == 1; }));
  EXPECT_EQ(*crashes_.Lock(), std::vector<std::string>{"t: boom"});
}

TEST_F(ThreadGroupTest, ABodyThatReturnsUnaskedFailedUnlessItMay) {
  ThreadGroup group(Callbacks());
  ThreadGroup may_end(Callbacks(), true);
  may_end.Start("free", [](std::stop_token) {});
  group.Start("bound", [](std::stop_token) {});
  EXPECT_TRUE(Eventually([&] { return ended_ == 2; }));
  EXPECT_EQ(*crashes_.Lock(), std::vector<std::string>{"bound: it ended although it should not"});
}

TEST_F(ThreadGroupTest, ItsDestructorStopsAndJoins) {
  std::atomic<bool> done = false;
  {
    ThreadGroup group(Callbacks());
    group.Start("t", [&](std::stop_token stop) {
      UntilAsked(stop);
      done = true;
    });
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace roster::app
