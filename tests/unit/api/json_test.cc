#include "api/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/meta.h"

namespace roster::api {
namespace {

using testing::HasSubstr;

std::string Nested(size_t depth, const std::string& open, const std::string& inner,
                   const std::string& close) {
  std::string text;
  for (size_t i = 0; i < depth; ++i) text += open;
  text += inner;
  for (size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(ParseJsonTest, ReadsWhatIsNestedAsDeepAsAllowed) {
  const auto lists = ParseJson(Nested(kMaxJsonDepth, "[", "1", "]"));
  ASSERT_TRUE(lists.ok()) << lists.error().message;
  EXPECT_EQ(DumpJson(*lists), Nested(kMaxJsonDepth, "[", "1", "]"));
  EXPECT_TRUE(ParseJson(Nested(kMaxJsonDepth, R"({"a":)", "1", "}")).ok());
}

TEST(ParseJsonTest, RefusesWhatIsNestedDeeperBeforeItIsBuilt) {
  for (const size_t depth : {size_t{kMaxJsonDepth} + 1, size_t{1000}, size_t{1'000'000}}) {
    for (const auto& [open, close] : {std::pair("[", "]"), std::pair(R"({"a":)", "}")}) {
      const auto parsed = ParseJson(Nested(depth, open, "1", close));
      ASSERT_FALSE(parsed.ok()) << depth << open;
      EXPECT_EQ(parsed.error().kind, ErrorKind::kMalformed);
      EXPECT_THAT(parsed.error().message, HasSubstr("100 levels"));
    }
  }
  EXPECT_FALSE(
      ParseJson(R"({"a":[1,2],"b":)" + Nested(200, "[", "", "]") + R"(,"c":{"d":[3]}})").ok());
}

TEST(ParseJsonTest, RefusesWhatIsNoJsonAndSaysWhere) {
  for (const std::string text : {"", "{", "[1,]", "nul", "{'a':1}", "{\"a\":1}x", "\"\xff\""}) {
    SCOPED_TRACE(text);
    const auto parsed = ParseJson(text);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().kind, ErrorKind::kMalformed);
    EXPECT_THAT(parsed.error().message, HasSubstr("column"));
  }
}

TEST(DumpJsonTest, ReplacesInvalidUtf8InsteadOfThrowing) {
  EXPECT_EQ(DumpJson(json{{"a", "x\xff"}}), "{\"a\":\"x\xef\xbf\xbd\"}");
}

TEST(StableHashTest, NeverChanges) {
  // Hashes stand in objects of running clusters: published vectors of FNV-1a, 64 bits.
  EXPECT_EQ(StableHash(""), 0xcbf29ce484222325ULL);
  EXPECT_EQ(StableHash("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(StableHash("foobar"), 0x85944171f73967e8ULL);
}

TEST(ReadersTest, TakeTheAbsentForTheDefault) {
  const json object = json::parse(R"({"s": "x", "i": 7, "b": true, "n": null})");
  EXPECT_EQ(StringOr(object, "s", "d"), "x");
  EXPECT_EQ(StringOr(object, "none", "d"), "d");
  EXPECT_EQ(StringOr(object, "n", "d"), "d");
  EXPECT_EQ(IntOr(object, "i", 1), 7);
  EXPECT_EQ(IntOr(object, "none", 1), 1);
  EXPECT_TRUE(BoolOr(object, "b"));
  EXPECT_TRUE(BoolOr(object, "none", true));
  EXPECT_EQ(FindMember(object, "n"), nullptr);
  EXPECT_EQ(FindObject(object, "none"), nullptr);
  EXPECT_EQ(FindObjects(object, "n"), nullptr);
  EXPECT_TRUE(ReadStringMap(nullptr).empty());
}

TEST(ReadersTest, ThrowAtTheWrongType) {
  const json object = json::parse(R"({"s": "x", "i": 7, "b": true, "o": {"k": 1}, "l": [{}, 1]})");
  EXPECT_THROW(StringOr(object, "i"), json::exception);
  EXPECT_THROW(IntOr(object, "s"), json::exception);
  EXPECT_THROW(IntOr(object, "b"), json::exception);
  EXPECT_THROW(BoolOr(object, "i"), json::exception);
  EXPECT_THROW(FindObject(object, "s"), json::exception);
  EXPECT_THROW(FindObjects(object, "o"), json::exception);
  EXPECT_THROW(FindObjects(object, "l"), json::exception);
  EXPECT_THROW(ReadStringMap(&object["s"]), json::exception);
  EXPECT_THROW(ReadStringMap(&object["l"]), json::exception);
  EXPECT_THROW(ReadStringMap(&object["o"]), json::exception);
}

TEST(ReadMetaTest, ReadsWhatRosterKeeps) {
  const ObjectMeta meta = ReadMeta(json::parse(R"({"metadata": {
    "name": "a", "namespace": "ns", "uid": "u-1", "resourceVersion": "18446744073709551615",
    "generation": 3, "creationTimestamp": "2026-01-02T03:04:05Z",
    "deletionTimestamp": "2026-01-02T03:04:06Z"}})"));
  EXPECT_EQ(meta.key(), (ObjectKey{"ns", "a"}));
  EXPECT_EQ(meta.key().ToString(), "ns/a");
  EXPECT_EQ(meta.uid, "u-1");
  EXPECT_EQ(meta.resource_version, 18446744073709551615ULL);
  EXPECT_EQ(meta.generation, 3);
  EXPECT_EQ(FormatTime(meta.creation_time), "2026-01-02T03:04:05Z");
  EXPECT_TRUE(meta.deleting);
}

TEST(ReadMetaTest, NeedsOnlyAName) {
  const ObjectMeta meta = ReadMeta(json::parse(R"({"metadata": {"name": "a"}})"));
  EXPECT_EQ(meta.resource_version, 0u);
  EXPECT_FALSE(meta.deleting);
  EXPECT_THROW(ReadMeta(json::parse(R"({"metadata": {}})")), json::exception);
}

TEST(ReadControllerTest, FindsTheControllerAmongTheOwners) {
  const json object = json::parse(R"({"metadata": {"ownerReferences": [
    {"kind": "ConfigMap", "name": "other", "uid": "u-0"},
    {"kind": "Agent", "name": "a", "uid": "u-1", "controller": true}]}})");
  EXPECT_EQ(ReadController(object).uid, "u-1");
  EXPECT_EQ(ReadController(object).kind, "Agent");
  EXPECT_EQ(ReadController(object).name, "a");
  EXPECT_EQ(ReadController(json::parse(R"({"metadata": {}})")).uid, "");
}

TEST(StringMapTest, FindsByKey) {
  const json object = json::parse(R"({"b": "2", "a": "1", "c": "3"})");
  const StringMap map = ReadStringMap(&object);
  EXPECT_TRUE(std::is_sorted(map.begin(), map.end()));
  ASSERT_NE(Find(map, "b"), nullptr);
  EXPECT_EQ(*Find(map, "b"), "2");
  EXPECT_EQ(Find(map, "bb"), nullptr);
  EXPECT_EQ(Find(map, "z"), nullptr);
  EXPECT_EQ(Find({}, "a"), nullptr);
}

TEST(GuardTest, NamesWhateverItWasGiven) {
  const auto fail = [](const json& object) -> Result<int> { return object.at("x").get<int>(); };
  const std::pair<const char*, const char*> table[] = {
      {R"({"metadata": {"namespace": "ns", "name": "a", "resourceVersion": "7"}})",
       "Thing ns/a at version 7 cannot be understood: "},
      {R"({"metadata": {"name": 5}})", "Thing ?/? at version ? cannot be understood: "},
      {R"({"metadata": 5})", "Thing ?/? at version ? cannot be understood: "},
      {"5", "Thing ?/? at version ? cannot be understood: "},
      {"null", "Thing ?/? at version ? cannot be understood: "},
  };
  for (const auto& [object, message] : table) {
    const auto result = Guard<int>(json::parse(object), "Thing", fail);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().kind, ErrorKind::kMalformed);
    EXPECT_THAT(result.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace roster::api
