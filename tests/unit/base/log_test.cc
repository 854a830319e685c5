#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace roster {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class MemorySink final : public LogSink {
 public:
  void Write(LogLevel level, std::string_view line) override { lines.emplace_back(level, line); }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

class LogTest : public testing::Test {
 protected:
  Logger Make(LogFormat format, LogLevel level = LogLevel::kDebug) const {
    return {sink_, level, format};
  }
  const std::string& Line() const { return sink_->lines.back().second; }
  // The line without its time, which no test can know.
  std::string Rest() const { return Line().substr(Line().find(" level=") + 1); }

  std::shared_ptr<MemorySink> sink_ = std::make_shared<MemorySink>();
};

TEST_F(LogTest, WritesKeysAndValuesAsText) {
  Make(LogFormat::kText)
      .Info("agent changed state", {{"agent_id", "researcher"},
                                    {"state", "Running"},
                                    {"replicas", 3},
                                    {"share", 0.5},
                                    {"resident", true},
                                    {"empty", ""},
                                    {"quoted", "two words"}});
  EXPECT_EQ(Rest(),
            "level=info msg=\"agent changed state\" agent_id=researcher state=Running replicas=3 "
            "share=0.5 resident=true empty=\"\" quoted=\"two words\"");
}

TEST_F(LogTest, StampsEachLineWithAMicrosecondTimeInUtc) {
  const auto before = std::chrono::system_clock::now() - std::chrono::seconds(1);
  Make(LogFormat::kJson).Info("x");
  const auto time = ParseTime(json::parse(Line())["time"].get<std::string>());
  ASSERT_TRUE(time.ok()) << Line();
  EXPECT_GT(*time, before);
  Make(LogFormat::kText).Info("x");
  EXPECT_THAT(Line(), testing::MatchesRegex("time=....-..-..T..:..:..\\.......Z level=info .*"));
}

TEST_F(LogTest, WritesOneJsonObjectThatParsesBack) {
  const std::string nasty =
      "a \"quote\", a \\, a\ttab,\r\na line, \x01\x1f\x7f and \xc3\xa9 \xe2\x82\xac "
      "\xf0\x9f\x98\x80";
  Make(LogFormat::kJson)
      .Warn(nasty, {{"text", nasty},
                    {"number", int64_t{-7}},
                    {"big", std::numeric_limits<uint64_t>::max()},
                    {"real", 0.25},
                    {"flag", false},
                    {"key \"x\"", "y"}});
  EXPECT_THAT(Line(), Not(HasSubstr("\n")));
  const json line = json::parse(Line());
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["msg"], nasty);
  EXPECT_EQ(line["text"], nasty);
  EXPECT_EQ(line["number"], -7);
  EXPECT_EQ(line["big"], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(line["real"], 0.25);
  EXPECT_EQ(line["flag"], false);
  EXPECT_EQ(line["key \"x\""], "y");
}

TEST_F(LogTest, IsValidJsonEvenWhereNumbersAreNone) {
  Make(LogFormat::kJson)
      .Info("x", {{"nan", std::numeric_limits<double>::quiet_NaN()},
                  {"inf", -std::numeric_limits<double>::infinity()}});
  const json line = json::parse(Line());
  EXPECT_EQ(line["nan"], "nan");
  EXPECT_EQ(line["inf"], "-inf");
}

TEST_F(LogTest, ReplacesWhatIsNoUtf8) {
  const std::pair<std::string, std::string> table[] = {
      {"\xff", "\xef\xbf\xbd"},
      {"a\x80"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xc3", "\xef\xbf\xbd"},                                  // cut short
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                  // overlong
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // a surrogate
      {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xe2\x82\xac", "\xe2\x82\xac"},
  };
  for (const auto& [given, written] : table) {
    Make(LogFormat::kJson).Info("x", {{"value", given}});
    EXPECT_EQ(json::parse(Line())["value"], written);
  }
}

TEST_F(LogTest, OneEventIsOneLineOfText) {
  Make(LogFormat::kText).Error("two\nlines", {{"error", "first\nlevel=info msg=\"forged\""}});
  EXPECT_EQ(sink_->lines.size(), 1u);
  EXPECT_EQ(Rest(), R"(level=error msg="two\nlines" error="first\nlevel=info msg=\"forged\"")");
}

TEST_F(LogTest, QuotesTextOnlyWhereItMust) {
  const std::pair<std::string, std::string> table[] = {
      {"plain", "plain"},
      {"a=b", R"("a=b")"},
      {"a\\b", R"("a\\b")"},
      {"default/x", "default/x"},
      {"", R"("")"},
      {"\x7f", R"("\u007f")"},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
  };
  for (const auto& [value, written] : table) {
    Make(LogFormat::kText).Info("x", {{"v", value}});
    EXPECT_THAT(Line(), testing::EndsWith(" v=" + written));
  }
}

TEST_F(LogTest, WritesOnlyWhatReachesItsLevel) {
  const struct {
    LogLevel level;
    std::vector<LogLevel> written;
  } table[] = {
      {LogLevel::kDebug, {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}},
      {LogLevel::kInfo, {LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}},
      {LogLevel::kWarn, {LogLevel::kWarn, LogLevel::kError}},
      {LogLevel::kError, {LogLevel::kError}},
  };
  for (const auto& [level, written] : table) {
    sink_->lines.clear();
    const Logger log = Make(LogFormat::kText, level);
    log.Debug("d");
    log.Info("i");
    log.Warn("w");
    log.Error("e");
    std::vector<LogLevel> seen;
    for (const auto& [l, text] : sink_->lines) seen.push_back(l);
    EXPECT_EQ(seen, written);
    EXPECT_EQ(log.Enabled(LogLevel::kDebug), level == LogLevel::kDebug);
  }
}

TEST_F(LogTest, NamesItsLevels) {
  const Logger log = Make(LogFormat::kJson);
  std::vector<std::string> names;
  const auto name = [&] { names.push_back(json::parse(Line())["level"]); };
  log.Debug("x");
  name();
  log.Info("x");
  name();
  log.Warn("x");
  name();
  log.Error("x");
  name();
  EXPECT_EQ(names, (std::vector<std::string>{"debug", "info", "warn", "error"}));
}

TEST(SilentLoggerTest, WritesNothing) {
  testing::internal::CaptureStderr();
  SilentLogger().Error("x");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(StderrSinkTest, WritesWholeLinesAtOnce) {
  testing::internal::CaptureStderr();
  const auto sink = StderrSink();
  sink->Write(LogLevel::kDebug, "one {} %v");
  sink->Write(LogLevel::kError, "two");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "one {} %v\ntwo\n");
}

}  // namespace
}  // namespace roster
