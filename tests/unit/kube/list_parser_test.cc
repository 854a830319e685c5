#include "kube/list_parser.h"

#include <gtest/gtest.h>

#include "api/json.h"

namespace roster::kube {
namespace {

using nlohmann::json;

class ListParserTest : public testing::Test {
 protected:
  Result<json> Parse(std::string_view text) {
    items_.clear();
    return ParseList(text, [this](json&& item) { items_.push_back(std::move(item)); });
  }
  std::vector<json> items_;
};

/// `depth` arrays, one in the other.
std::string Nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']');
}

TEST_F(ListParserTest, HandsOverEachItemAsTheDomWouldHaveIt) {
  const std::string text = R"({"kind":"AgentList","apiVersion":"agentroster.dev/v1alpha1",
    "metadata":{"resourceVersion":"17","continue":"abc","remainingItemCount":3},
    "items":[
      {"metadata":{"name":"a","labels":{"x":"1","y":"2"}},"spec":{"args":["p",["q"],{"r":null}],"n":-5,"f":1.5,"b":true}},
      {},
      {"items":[{"metadata":{"name":"inner"}}],"metadata":{"name":"c"}}]})";
  const auto head = Parse(text);
  ASSERT_TRUE(head) << head.error().message;
  json whole = json::parse(text);
  EXPECT_EQ(json(items_), whole["items"]);
  whole.erase("items");
  EXPECT_EQ(*head, whole);
}

TEST_F(ListParserTest, TakesMembersInAnyOrder) {
  const auto head = Parse(R"({"items":[{"a":1}],"metadata":{"resourceVersion":"1"}})");
  ASSERT_TRUE(head);
  EXPECT_EQ(items_.size(), 1U);
  EXPECT_EQ((*head)["metadata"]["resourceVersion"], "1");
}

TEST_F(ListParserTest, AnAbsentOrEmptyListHasNoItems) {
  for (const char* text : {R"({"metadata":{}})", R"({"items":null})", R"({"items":[]})", "{}"}) {
    EXPECT_TRUE(Parse(text)) << text;
    EXPECT_TRUE(items_.empty()) << text;
  }
}

TEST_F(ListParserTest, RefusesWhatIsNoList) {
  for (const char* text :
       {"", "[]", "null", "\"x\"", "1", "{", R"({"items":[{})", R"({"items":[1]})",
        R"({"items":[[]]})", R"({"items":[null]})", R"({"items":[{}]}x)",
        R"({"items":[{"a":1e999}]})", "{\"items\":[{\"a\":\"\xFF\"}]}"}) {
    const auto head = Parse(text);
    ASSERT_FALSE(head) << text;
    EXPECT_EQ(head.error().kind, ErrorKind::kMalformed) << text;
    EXPECT_FALSE(head.error().message.empty()) << text;
  }
}

TEST_F(ListParserTest, TheItemsBeforeABrokenPlaceAreHandedOver) {
  EXPECT_FALSE(Parse(R"({"items":[{"a":1},{"a":2},{"a":)"));
  EXPECT_EQ(items_.size(), 2U);
}

TEST_F(ListParserTest, CapsNestingInItemsAndBesideThem) {
  // The list, its items and the item itself are three levels of their own.
  const int most = api::kMaxJsonDepth - 3;
  EXPECT_TRUE(Parse(R"({"items":[{"a":)" + Nested(most) + "}]}"));
  EXPECT_FALSE(Parse(R"({"items":[{"a":)" + Nested(most + 1) + "}]}"));
  EXPECT_TRUE(Parse(R"({"metadata":)" + Nested(api::kMaxJsonDepth - 1) + "}"));
  EXPECT_FALSE(Parse(R"({"metadata":)" + Nested(api::kMaxJsonDepth) + "}"));
  const auto bomb = Parse(R"({"items":[{"a":)" + std::string(1'000'000, '['));
  ASSERT_FALSE(bomb);
  EXPECT_NE(bomb.error().message.find("deeper than 100"), std::string::npos);
}

}  // namespace
}  // namespace roster::kube
