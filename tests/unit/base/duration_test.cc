#include "base/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roster {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(DurationTest, ReadsWholeNumbersWithUnits) {
  const struct {
    std::string_view text;
    int64_t millis;
  } table[] = {
      {"0s", 0},
      {"1ms", 1},
      {"15s", 15'000},
      {"30m", 1'800'000},
      {"1h", 3'600'000},
      {"1h30m", 5'400'000},
      {"1m1ms", 60'001},
      {"90m", 5'400'000},
      {"007s", 7'000},
      {"1s1s", 2'000},
      {"30m1h", 5'400'000},
      {"1h2m3s4ms", 3'723'004},
      {"876000h", int64_t{876'000} * 3'600'000},  // 100 years
  };
  for (const auto& [text, millis] : table) {
    SCOPED_TRACE(text);
    const auto parsed = ParseDuration(text);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->count(), millis);
  }
}

TEST(DurationTest, RefusesEverythingElseAndNamesTheValue) {
  const std::string_view table[] = {
      "",
      " ",
      "15",
      "s",
      "15 s",
      " 15s",
      "15s ",
      "-5s",
      "+5s",
      "1.5s",
      "1 week",
      "1d",
      "1us",
      "1S",
      "1H",
      "1hm",
      "1h30",
      "m5",
      "0x1s",
      "1e3s",
      "1s,1m",
      "1s\n",
      "876001h",
      "99999999999999ms1h",
      "875999h61m",
      "1٣s",
      "infinity",
      "1ss",
      "1m s",
      std::string_view("1\0s", 3),
      "1s1s1s1s1s1s1s1s1s",  // 18 characters
      "9999999999999h",      // fits the length, not the limit
  };
  for (const std::string_view text : table) {
    SCOPED_TRACE(text);
    const auto parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(parsed.error().message, HasSubstr("\"" + std::string(text) + "\""));
    EXPECT_THAT(parsed.error().message, HasSubstr("\"15s\" or \"1h30m\""));
  }
}

TEST(DurationTest, WritesTheLargestUnitsFirst) {
  const struct {
    int64_t millis;
    std::string_view text;
  } table[] = {
      {0, "0s"},           {1, "1ms"},           {999, "999ms"},    {1'000, "1s"},
      {15'000, "15s"},     {60'000, "1m"},       {90'000, "1m30s"}, {5'400'000, "1h30m"},
      {36'000'000, "10h"}, {3'600'001, "1h1ms"}, {-5'000, "-5s"},
  };
  for (const auto& [millis, text] : table) EXPECT_EQ(FormatDuration(milliseconds(millis)), text);
}

TEST(DurationTest, ReadsBackWhatItWrites) {
  for (const int64_t millis : {0, 1, 59, 1'000, 61'001, 3'599'999, 3'600'000, 604'800'000}) {
    const auto back = ParseDuration(FormatDuration(milliseconds(millis)));
    ASSERT_TRUE(back.ok()) << millis;
    EXPECT_EQ(back->count(), millis);
  }
}

}  // namespace
}  // namespace roster
