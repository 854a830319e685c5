#include "kube/line_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace roster::kube {
namespace {

using Lines = std::vector<std::string>;

class LineSplitterTest : public testing::Test {
 protected:
  Result<bool> Feed(std::string_view piece) {
    return splitter_.Feed(piece, [this](std::string_view line) {
      lines_.emplace_back(line);
      return lines_.size() < most_;
    });
  }

  LineSplitter splitter_{16};
  Lines lines_;
  size_t most_ = 1000;
};

TEST_F(LineSplitterTest, CutsTheSameLinesHoweverTheBytesArrive) {
  const std::string text = "first\nsecond line\n\n\r\nthird\r\n";
  for (size_t size = 1; size <= text.size(); ++size) {
    lines_.clear();
    for (size_t i = 0; i < text.size(); i += size) {
      const auto fed = Feed(std::string_view(text).substr(i, size));
      ASSERT_TRUE(fed && *fed);
    }
    EXPECT_EQ(lines_, (Lines{"first", "second line", "third"})) << "in pieces of " << size;
    EXPECT_EQ(splitter_.pending(), 0U);
  }
}

TEST_F(LineSplitterTest, KeepsALineThatHasNotEnded) {
  ASSERT_TRUE(Feed("a\nbc"));
  EXPECT_EQ(lines_, Lines{"a"});
  EXPECT_EQ(splitter_.pending(), 2U);
}

TEST_F(LineSplitterTest, StopsAtTheLineThatSaysSo) {
  most_ = 2;
  const auto fed = Feed("a\nb\nc\n");
  ASSERT_TRUE(fed);
  EXPECT_FALSE(*fed);
  EXPECT_EQ(lines_, (Lines{"a", "b"}));
}

TEST_F(LineSplitterTest, RefusesALineOverTheLimitHoweverItArrives) {
  EXPECT_TRUE(Feed("0123456789abcdef\n"));  // 16 bytes: just within
  const auto at_once = Feed("0123456789abcdefg\n");
  ASSERT_FALSE(at_once);
  EXPECT_EQ(at_once.error().kind, ErrorKind::kMalformed);
  EXPECT_NE(at_once.error().message.find("16 bytes"), std::string::npos);
  ASSERT_TRUE(Feed("0123456789"));
  EXPECT_FALSE(Feed("abcdefg"));
  EXPECT_LE(splitter_.pending(), 16U);
}

}  // namespace
}  // namespace roster::kube
