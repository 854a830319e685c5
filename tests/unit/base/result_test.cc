#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace roster {
namespace {

TEST(ResultTest, HoldsAValueOrAnError) {
  const Result<int> good = 7;
  const Result<int> bad = Error{ErrorKind::kNotFound, "no such thing"};
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(bad.error().message, "no such thing");
}

TEST(ResultTest, GivesUpAValueThatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, AStatusIsASuccessWithoutAValue) {
  EXPECT_TRUE(Ok().ok());
  EXPECT_FALSE(Status(Error{ErrorKind::kTimeout, ""}).ok());
}

constexpr ErrorKind kAllKinds[] = {
    ErrorKind::kInvalid,  ErrorKind::kNotFound,      ErrorKind::kAlreadyExists,
    ErrorKind::kConflict, ErrorKind::kUnauthorized,  ErrorKind::kForbidden,
    ErrorKind::kExpired,  ErrorKind::kFutureVersion, ErrorKind::kThrottled,
    ErrorKind::kTimeout,  ErrorKind::kUnavailable,   ErrorKind::kCancelled,
    ErrorKind::kMalformed};

TEST(ErrorTest, EveryKindHasItsOwnWord) {
  std::set<std::string_view> words;
  for (const ErrorKind kind : kAllKinds) words.insert(ToString(kind));
  EXPECT_EQ(words.size(), std::size(kAllKinds));
  EXPECT_EQ(ToString(ErrorKind::kNotFound), "NotFound");
}

TEST(ErrorTest, OnlyWhatMayPassByItselfIsRetryable) {
  const std::set<ErrorKind> retryable{ErrorKind::kThrottled, ErrorKind::kTimeout,
                                      ErrorKind::kUnavailable};
  for (const ErrorKind kind : kAllKinds) {
    EXPECT_EQ((Error{kind, ""}.retryable()), retryable.contains(kind)) << ToString(kind);
  }
}

}  // namespace
}  // namespace roster
