#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace roster::store {
namespace {

using api::ObjectKey;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

struct Thing {
  api::ObjectMeta meta;
  std::string colour;
  std::vector<std::string> tags;
};
using Things = Store<Thing>;
constexpr size_t kByColour = 0;
constexpr size_t kByTag = 1;

std::vector<IndexFn<Thing>> Indexes() {
  return {
      [](const Thing& thing, std::vector<std::string>& values) { values.push_back(thing.colour); },
      [](const Thing& thing, std::vector<std::string>& values) { values = thing.tags; }};
}

Things::Ptr Make(const std::string& ns, const std::string& name, uint64_t version,
                 const std::string& colour = "red", std::vector<std::string> tags = {},
                 const std::string& uid = "") {
  auto thing = std::make_shared<Thing>();
  thing->meta.ns = ns;
  thing->meta.name = name;
  thing->meta.uid = uid.empty() ? ns + "/" + name : uid;
  thing->meta.resource_version = version;
  thing->colour = colour;
  thing->tags = std::move(tags);
  return thing;
}

std::vector<std::string> Names(const std::vector<Things::Ptr>& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.push_back(thing->meta.name);
  std::sort(names.begin(), names.end());
  return names;
}

TEST(StoreTest, ReturnsWhatWasPut) {
  Things store;
  const auto thing = Make("ns", "a", 1);
  const auto change = store.Put("", thing);
  EXPECT_EQ(change.before, nullptr);
  EXPECT_EQ(change.after, thing);
  EXPECT_EQ(store.Get({"ns", "a"}), thing);
  EXPECT_EQ(store.Get({"other", "a"}), nullptr);
  EXPECT_EQ(store.size(), 1u);
}

TEST(StoreTest, AnUpdateTellsBothVersions) {
  Things store;
  const auto one = Make("ns", "a", 1);
  const auto two = Make("ns", "a", 2);
  store.Put("", one);
  const auto change = store.Put("", two);
  EXPECT_EQ(change.before, one);
  EXPECT_EQ(change.after, two);
  EXPECT_EQ(store.size(), 1u);
}

TEST(StoreTest, AnEraseTellsWhatWasThere) {
  Things store;
  const auto one = Make("ns", "a", 1);
  store.Put("", one);
  const auto change = store.Erase("", {"ns", "a"}, 5);
  EXPECT_EQ(change.before, one);
  EXPECT_EQ(change.after, nullptr);
  EXPECT_EQ(store.Get({"ns", "a"}), nullptr);
  const auto again = store.Erase("", {"ns", "a"}, 6);
  EXPECT_EQ(again.before, nullptr);
  EXPECT_EQ(again.after, nullptr);
  EXPECT_EQ(store.Version("ns"), 6u);
}

TEST(StoreTest, ReadersKeepTheirSnapshot) {
  Things store;
  store.Put("", Make("ns", "a", 1, "red"));
  const auto seen = store.Get({"ns", "a"});
  store.Put("", Make("ns", "a", 2, "blue"));
  store.Erase("", {"ns", "a"}, 3);
  EXPECT_EQ(seen->colour, "red");
}

TEST(StoreTest, IndexesFollowUpdatesAndErasures) {
  Things store(Indexes());
  store.Put("", Make("ns", "a", 1, "red", {"x", "y"}));
  store.Put("", Make("ns", "b", 2, "red", {"y", "y"}));
  EXPECT_THAT(Names(store.Find(kByColour, "red")), ElementsAre("a", "b"));
  EXPECT_THAT(Names(store.Find(kByTag, "y")), ElementsAre("a", "b"));
  EXPECT_THAT(Names(store.Find(kByTag, "x")), ElementsAre("a"));

  store.Put("", Make("ns", "a", 3, "blue", {"z"}));
  EXPECT_THAT(Names(store.Find(kByColour, "red")), ElementsAre("b"));
  EXPECT_THAT(Names(store.Find(kByColour, "blue")), ElementsAre("a"));
  EXPECT_THAT(store.Find(kByTag, "x"), IsEmpty());
  EXPECT_THAT(Names(store.Find(kByTag, "z")), ElementsAre("a"));

  store.Erase("", {"ns", "b"}, 4);
  EXPECT_THAT(store.Find(kByColour, "red"), IsEmpty());
  EXPECT_THAT(store.Find(kByTag, "y"), IsEmpty());
}

TEST(StoreTest, CountsByIndexWithoutEmptyValues) {
  Things store(Indexes());
  store.Put("", Make("ns", "a", 1, "red"));
  store.Put("", Make("ns", "b", 2, "red"));
  store.Put("", Make("ns", "c", 3, "blue"));
  EXPECT_THAT(store.Counts(kByColour), ElementsAre(Pair("blue", 1), Pair("red", 2)));
  store.Erase("", {"ns", "c"}, 4);
  EXPECT_THAT(store.Counts(kByColour), ElementsAre(Pair("red", 2)));
  EXPECT_THAT(store.Counts(kByTag), IsEmpty());
}

TEST(StoreTest, ReplaceReturnsOnlyTheDifferences) {
  Things store(Indexes());
  const auto same = Make("ns", "same", 1);
  const auto old = Make("ns", "changed", 2, "red");
  const auto gone = Make("ns", "gone", 3);
  const auto reborn = Make("ns", "reborn", 4, "red", {}, "uid-1");
  store.Replace("", {same, old, gone, reborn}, 10);

  const auto changed = Make("ns", "changed", 11, "blue");
  const auto fresh = Make("ns", "fresh", 12);
  const auto again = Make("ns", "reborn", 4, "red", {}, "uid-2");  // a restored etcd may do this
  const auto changes = store.Replace("", {Make("ns", "same", 1), changed, fresh, again}, 20);

  std::map<std::string, std::pair<Things::Ptr, Things::Ptr>> by_name;
  for (const auto& [before, after] : changes) {
    by_name[(before ? before : after)->meta.name] = {before, after};
  }
  EXPECT_THAT(by_name, UnorderedElementsAre(
                           Pair("changed", Pair(old, changed)), Pair("fresh", Pair(nullptr, fresh)),
                           Pair("gone", Pair(gone, nullptr)), Pair("reborn", Pair(reborn, again))));
  EXPECT_EQ(store.Get({"ns", "same"}), same) << "what did not change keeps its record";
  EXPECT_THAT(Names(store.All()), ElementsAre("changed", "fresh", "reborn", "same"));
  EXPECT_THAT(Names(store.Find(kByColour, "blue")), ElementsAre("changed"));
}

TEST(StoreTest, ReplaceByTheSameIsNoChange) {
  Things store;
  store.Replace("", {Make("ns", "a", 1)}, 10);
  EXPECT_THAT(store.Replace("", {Make("ns", "a", 1)}, 11), IsEmpty());
  EXPECT_EQ(store.Version("ns"), 11u);
}

TEST(StoreTest, ReplaceTouchesItsOwnScopeAlone) {
  Things store;
  store.AddScope("one");
  store.AddScope("two");
  store.Replace("one", {Make("one", "a", 1)}, 1);
  store.Replace("two", {Make("two", "b", 2)}, 2);
  const auto changes = store.Replace("one", {}, 3);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].before->meta.name, "a");
  EXPECT_THAT(Names(store.All()), ElementsAre("b"));
}

TEST(StoreTest, IsSyncedOnlyWhenEveryScopeIs) {
  Things store;
  EXPECT_FALSE(store.synced()) << "nobody feeds it yet";
  store.AddScope("one");
  store.AddScope("two");
  EXPECT_FALSE(store.synced());
  store.Replace("one", {}, 1);
  EXPECT_FALSE(store.synced());
  store.Put("two", Make("two", "a", 1));
  EXPECT_FALSE(store.synced()) << "an event is not a list";
  store.Replace("two", {}, 1);
  EXPECT_TRUE(store.synced());
  store.AddScope("two");
  EXPECT_TRUE(store.synced()) << "adding a scope again forgets nothing";
}

TEST(StoreTest, KeepsAVersionPerScope) {
  Things store;
  store.AddScope("one");
  store.AddScope("two");
  EXPECT_EQ(store.Version("one"), 0u);
  store.Put("one", Make("one", "a", 7));
  store.Bookmark("two", 9);
  EXPECT_EQ(store.Version("one"), 7u);
  EXPECT_EQ(store.Version("two"), 9u);
  EXPECT_EQ(store.Version("three"), 0u);
  store.Put("one", Make("one", "a", 5));
  EXPECT_EQ(store.Version("one"), 7u) << "events do not turn it back";
  store.Replace("one", {}, 3);
  EXPECT_EQ(store.Version("one"), 3u)
      << "a list does: the server's data may have gone back in time";
}

TEST(StoreTest, AStoreOfAllNamespacesHasOneVersion) {
  Things store;
  store.AddScope("");
  store.Replace("", {Make("one", "a", 1), Make("two", "b", 2)}, 5);
  EXPECT_EQ(store.Version("one"), 5u);
  EXPECT_EQ(store.Version("two"), 5u);
  store.Erase("", {"one", "a"}, 8);
  EXPECT_EQ(store.Version("two"), 8u);
}

// For ThreadSanitizer above all; without it, for readers that see half a change.
TEST(StoreTest, ServesReadersWhileOneWriterWrites) {
  Things store(Indexes());
  store.AddScope("");
  std::atomic<bool> stop = false;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&] {
        while (!stop) {
          for (const auto& red : store.Find(kByColour, "red")) ASSERT_EQ(red->colour, "red");
          const auto thing = store.Get({"ns", "t3"});
          ASSERT_TRUE(thing == nullptr || thing->meta.name == "t3");
          size_t counted = 0;
          for (const auto& [colour, count] : store.Counts(kByColour)) counted += count;
          ASSERT_LE(counted, 10u);
          ASSERT_LE(store.All().size(), 10u);
          store.synced();
          store.Version("ns");
        }
      });
    }
    uint64_t version = 0;
    for (int round = 0; round < 200; ++round) {
      for (int i = 0; i < 10; ++i) {
        store.Put("", Make("ns", "t" + std::to_string(i), ++version, round % 2 ? "red" : "blue"));
      }
      store.Erase("", {"ns", "t3"}, ++version);
      if (round % 50 == 0) store.Replace("", {Make("ns", "t1", version)}, version);
    }
    stop = true;
  }
  EXPECT_EQ(store.size(), 9u);
}

}  // namespace
}  // namespace roster::store
