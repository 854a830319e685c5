#include "base/backoff.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace roster {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

Jitter Always(double value) {
  return [value] { return value; };
}

TEST(ExponentialDelayTest, DoublesUpToTheCap) {
  const Backoff::Policy policy{800ms, 5000ms, 2.0};
  const struct {
    uint32_t n;
    milliseconds delay;
  } table[] = {
      {0, 800ms},          {1, 1600ms},
      {2, 3200ms},         {3, 5000ms},
      {4, 5000ms},         {64, 5000ms},
      {1'000'000, 5000ms}, {std::numeric_limits<uint32_t>::max(), 5000ms},
  };
  for (const auto& [n, delay] : table) EXPECT_EQ(ExponentialDelay(policy, n), delay) << n;
}

TEST(ExponentialDelayTest, OfNothingIsNothingHoweverOften) {
  const Backoff::Policy policy{0ms, 5000ms, 2.0};
  EXPECT_EQ(ExponentialDelay(policy, 0), 0ms);
  EXPECT_EQ(ExponentialDelay(policy, 1'000'000), 0ms);  // 0 × infinity is no number
}

TEST(ExponentialDelayTest, KeepsToACapBelowTheFirstDelay) {
  EXPECT_EQ(ExponentialDelay({800ms, 100ms, 2.0}, 0), 100ms);
}

TEST(BackoffTest, StaysBetweenHalfAndWhole) {
  Backoff least({1000ms, 8000ms, 2.0}, Always(0.0));
  Backoff most({1000ms, 8000ms, 2.0}, Always(std::nextafter(1.0, 0.0)));
  for (const auto whole : {1000ms, 2000ms, 4000ms, 8000ms, 8000ms}) {
    EXPECT_EQ(least.Next(), whole / 2);
    const auto delay = most.Next();
    EXPECT_LE(delay, whole);
    EXPECT_GE(delay, whole - 1ms);
  }
}

TEST(BackoffTest, StartsAgainAfterReset) {
  Backoff backoff({1000ms, 8000ms, 2.0}, Always(0.0));
  backoff.Next();
  backoff.Next();
  EXPECT_EQ(backoff.attempts(), 2u);
  backoff.Reset();
  EXPECT_EQ(backoff.attempts(), 0u);
  EXPECT_EQ(backoff.Next(), 500ms);
}

TEST(BackoffTest, IsNeverZero) {
  Backoff nothing({0ms, 0ms, 2.0}, Always(0.0));
  for (int i = 0; i < 2000; ++i) ASSERT_GE(nothing.Next(), 1ms);
}

TEST(RandomJitterTest, IsUniformEnoughAndInRange) {
  const Jitter jitter = RandomJitter();
  std::set<int> tenths;
  for (int i = 0; i < 1000; ++i) {
    const double value = jitter();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    tenths.insert(static_cast<int>(value * 10));
  }
  EXPECT_EQ(tenths.size(), 10u);  // misses one in 10^45
}

}  // namespace
}  // namespace roster
