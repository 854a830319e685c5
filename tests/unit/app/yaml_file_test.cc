#include "app/yaml_file.h"

#include <gtest/gtest.h>

#include <random>

namespace roster::app {
namespace {

TEST(YamlFileTest, ReadsKeysWithTheirLinesInOrder) {
  const FileContent content = ReadYaml("# comment\na: 1\n\nb:\n- x\n- y\nc:\nd: {e: f}\na: 2\n");
  EXPECT_EQ(content.error, "");
  ASSERT_EQ(content.entries.size(), 5U);
  const auto& e = content.entries;
  EXPECT_EQ(e[0].key + "@" + std::to_string(e[0].line), "a@2");
  EXPECT_EQ(e[1].key + "@" + std::to_string(e[1].line), "b@4");
  EXPECT_EQ(e[2].key + "@" + std::to_string(e[2].line), "c@7");
  EXPECT_EQ(e[3].key + "@" + std::to_string(e[3].line), "d@8");
  EXPECT_EQ(e[4].key + "@" + std::to_string(e[4].line), "a@9");
  EXPECT_EQ(e[0].kind, FileEntry::Kind::kScalar);
  EXPECT_EQ(e[0].values, std::vector<std::string>{"1"});
  EXPECT_EQ(e[1].kind, FileEntry::Kind::kList);
  EXPECT_EQ(e[1].values, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(e[2].kind, FileEntry::Kind::kNothing);
  EXPECT_EQ(e[3].kind, FileEntry::Kind::kOther);
  EXPECT_EQ(e[4].values, std::vector<std::string>{"2"});
}

TEST(YamlFileTest, KeepsWhatStandsBeforeASyntaxError) {
  const FileContent content = ReadYaml("a: 1\nb: [x\n");
  EXPECT_NE(content.error, "");
  EXPECT_GE(content.error_line, 2);
  ASSERT_EQ(content.entries.size(), 1U) << "the one that was cut off is left out";
  EXPECT_EQ(content.entries[0].key, "a");
}

// A value behind a list must not be taken for a key, nor the other way round.
TEST(YamlFileTest, KeepsKeysAndValuesApartBehindNestedValues) {
  const FileContent content =
      ReadYaml("a: [1, [2, {3: 4}], 5]\nb: {c: {d: [e]}}\nf: ~\ng: []\nh: i\n");
  ASSERT_EQ(content.error, "");
  std::string keys;
  for (const FileEntry& entry : content.entries) keys += entry.key;
  EXPECT_EQ(keys, "abfgh");
  EXPECT_EQ(content.entries[0].kind, FileEntry::Kind::kOther);
  EXPECT_EQ(content.entries[3].kind, FileEntry::Kind::kList);
  EXPECT_EQ(content.entries[4].values, std::vector<std::string>{"i"});
}

TEST(YamlFileTest, SurvivesWhateverItIsGiven) {
  const std::string alphabet = "ab:-?[]{},&*!|>'\"%@`#\n\t ~<=0\\\xff";
  std::mt19937 random(42);  // NOLINT(bugprone-random-generator-seed): the same inputs each time
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t n = random() % 40; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const FileContent content = ReadYaml(text);
    EXPECT_EQ(content.error.empty(), content.error_line == 0) << text;
  }
}

}  // namespace
}  // namespace roster::app
