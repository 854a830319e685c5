#include "app/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace roster::app {
namespace {

/// Signals are sent to this thread alone, so that no other of the test program gets them.
class SignalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    auto signals = TakeSignals(clock_);
    ASSERT_TRUE(signals.ok()) << signals.error().message;
    signals_ = std::move(*signals);
  }
  void TearDown() override { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  SystemClock clock_;
  std::unique_ptr<Signals> signals_;
  sigset_t before_{};
};

TEST_F(SignalsTest, GivesSignalsOneByOne) {
  pthread_kill(pthread_self(), SIGTERM);
  EXPECT_EQ(signals_->Wait(MonoTime::max()), SIGTERM);
  pthread_kill(pthread_self(), SIGINT);
  EXPECT_EQ(signals_->Wait(MonoTime::max()), SIGINT);
  EXPECT_EQ(signals_->Wait(clock_.Mono()), 0);
}

TEST_F(SignalsTest, AWakeEndsTheNextWait) {
  signals_->Wake();
  EXPECT_EQ(signals_->Wait(MonoTime::max()), 0);
  std::jthread waker([&] { signals_->Wake(); });
  EXPECT_EQ(signals_->Wait(MonoTime::max()), 0);
}

TEST_F(SignalsTest, WaitsUntilItsDeadlineAndNoLonger) {
  const MonoTime began = clock_.Mono();
  EXPECT_EQ(signals_->Wait(began + std::chrono::milliseconds(30)), 0);
  EXPECT_GE(clock_.Mono(), began + std::chrono::milliseconds(30));
  EXPECT_EQ(signals_->Wait(began), 0);
}

TEST_F(SignalsTest, NewThreadsDoNotGetThem) {
  std::jthread([] {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_EQ(sigismember(&mask, SIGTERM), 1);
    EXPECT_EQ(sigismember(&mask, SIGINT), 1);
    EXPECT_EQ(sigismember(&mask, SIGHUP), 0);
  }).join();
}

TEST(SignalNameTest, NamesThem) {
  EXPECT_EQ(SignalName(SIGTERM), "SIGTERM");
  EXPECT_EQ(SignalName(SIGINT), "SIGINT");
}

}  // namespace
}  // namespace roster::app
