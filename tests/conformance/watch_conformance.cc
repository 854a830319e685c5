// WATCH: events in order, selectors, watch-lists, versions too old and too new.
#include <gmock/gmock.h>

#include "conformance/api_conformance.h"
#include "kube/status_error.h"

namespace roster::conformance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::stop_token kNever;

class WatchConformance : public ApiConformance {
 protected:
  json Labelled(const std::string& name, const json& labels) {
    json agent = Agent(name);
    agent["metadata"]["labels"] = labels;
    return Create(kube::kAgents, agent);
  }
  void Label(const std::string& name, const json& labels) {
    PatchBy("hand", kube::kAgents, name, {{"metadata", {{"labels", labels}}}});
  }
  kube::WatchOptions From(uint64_t version) {
    kube::WatchOptions options;
    options.resource_version = std::to_string(version);
    return options;
  }
  static kube::WatchOptions WatchList(const std::string& version = {}) {
    kube::WatchOptions options;
    options.send_initial_events = true;
    options.resource_version = version;
    return options;
  }
};

TEST_F(WatchConformance, AWatchFromAVersionSeesEachLaterChangeInOrder) {
  Create(kube::kAgents, Agent("before"));
  const uint64_t start = VersionOf(kube::kAgents);
  const json added = Create(kube::kAgents, Agent("a"));
  const json patched =
      MergePatch(kube::kAgents, "a", "status", {{"status", {{"state", "Running"}}}});
  Create(kube::kAgents, Agent("b"));
  Delete(kube::kAgents, "a");
  const auto events = Watch(kube::kAgents, From(start), 4);
  ASSERT_THAT(Describe(events), ElementsAre("ADDED a", "MODIFIED a", "ADDED b", "DELETED a"));
  EXPECT_EQ(events[0].object, added);
  EXPECT_EQ(events[1].object, patched);
  uint64_t last = start;
  for (const WatchEvent& event : events) {
    EXPECT_GT(Version(event.object), last);
    last = Version(event.object);
  }
  // The last state, under the version of the deletion.
  EXPECT_EQ(events[3].object["status"], patched["status"]);
  EXPECT_EQ(Uid(events[3].object), Uid(added));
}

TEST_F(WatchConformance, AWatchResumesWhereAnotherEnded) {
  const uint64_t start = VersionOf(kube::kAgents);
  for (const char* name : {"a", "b", "c"}) Create(kube::kAgents, Agent(name));
  const auto first = Watch(kube::kAgents, From(start), 1);
  ASSERT_THAT(Describe(first), ElementsAre("ADDED a"));
  EXPECT_THAT(Describe(Watch(kube::kAgents, From(Version(first[0].object)), 2)),
              ElementsAre("ADDED b", "ADDED c"));
}

TEST_F(WatchConformance, EventsOfBuiltInTypesCarryTheirKind) {
  const uint64_t start = VersionOf(kube::kServices);
  Create(kube::kServices, Service("s"));
  const auto events = Watch(kube::kServices, From(start), 1);
  ASSERT_THAT(Describe(events), ElementsAre("ADDED s"));
  EXPECT_EQ(events[0].object["kind"], "Service");
  EXPECT_EQ(events[0].object["apiVersion"], "v1");
}

TEST_F(WatchConformance, AnObjectThatLeavesTheSelectorIsDeletedAndOneThatEntersIsAdded) {
  const uint64_t start = VersionOf(kube::kAgents);
  Labelled("a", {{"app", "x"}});
  Labelled("b", {{"app", "y"}});
  Label("a", {{"app", "y"}});
  Label("b", {{"app", "x"}});
  Label("b", {{"more", "1"}});
  const json gone = Get(kube::kAgents, "a");
  kube::WatchOptions options = From(start);
  options.label_selector = "app=x";
  const auto events = Watch(kube::kAgents, options, 4);
  ASSERT_THAT(Describe(events), ElementsAre("ADDED a", "DELETED a", "ADDED b", "MODIFIED b"));
  // The object as it was while it was selected, under the version of the change.
  EXPECT_EQ(events[1].object["metadata"]["labels"]["app"], "x");
  EXPECT_EQ(Version(events[1].object), Version(gone));
}

TEST_F(WatchConformance, AWatchListSendsTheStateThenAMarkedBookmarkThenChanges) {
  Labelled("b", {{"app", "x"}});
  Labelled("a", {{"app", "x"}});
  Labelled("other", {{"app", "y"}});
  const uint64_t version = VersionOf(kube::kAgents);
  kube::WatchOptions options = WatchList();
  options.ns = ns();
  options.label_selector = "app=x";
  options.server_timeout = std::chrono::seconds(5);
  std::vector<WatchEvent> events;
  const auto ended = client().Watch(
      kube::kAgents, options,
      [&](WatchEvent&& event) {
        if (event.type == WatchEventType::kBookmark) Labelled("c", {{"app", "x"}});
        events.push_back(std::move(event));
        return events.size() < 4;
      },
      kNever);
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_FALSE(*ended);
  ASSERT_THAT(Describe(events), ElementsAre("ADDED a", "ADDED b", "BOOKMARK", "ADDED c"));
  const json& bookmark = events[2].object;
  EXPECT_EQ(bookmark["kind"], "Agent");
  EXPECT_EQ(bookmark["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
  EXPECT_GE(Version(bookmark), version);
}

TEST_F(WatchConformance, AWatchListOfNothingIsABookmark) {
  EXPECT_THAT(Describe(Watch(kube::kAgents, WatchList(), 1)), ElementsAre("BOOKMARK"));
}

TEST_F(WatchConformance, AWatchListNeedsItsMatch) {
  const json status = BodyOf(
      Raw("GET", kube::kAgents.Path(ns()) + "?watch=true&timeoutSeconds=1&sendInitialEvents=true"));
  EXPECT_EQ(status["code"], 422);
  EXPECT_THAT(CauseFields(status), ElementsAre("resourceVersionMatch"));
}

TEST_F(WatchConformance, AWatchListOfAVersionTheServerHasNotSeenIsAnErrorEvent) {
  const uint64_t future = VersionOf(kube::kAgents) + 1'000'000;
  const auto events = Watch(kube::kAgents, WatchList(std::to_string(future)), 1);
  ASSERT_THAT(Describe(events), ElementsAre("ERROR"));
  EXPECT_EQ(events[0].object["code"], 504);
  EXPECT_EQ(kube::ErrorOfStatus(events[0].object).kind, ErrorKind::kFutureVersion);
}

TEST_F(WatchConformance, AWatchFromAVersionTheServerHasNotSeenIsSilent) {
  kube::WatchOptions options = From(VersionOf(kube::kAgents) + 1'000'000);
  Create(kube::kAgents, Agent("a"));
  EXPECT_THAT(Describe(Watch(kube::kAgents, options, 1)), IsEmpty());
}

TEST_F(WatchConformance, AWatchFromAnAncientVersionIsAnErrorEvent) {
  const auto events = Watch(kube::kAgents, From(1), 1);
  ASSERT_THAT(Describe(events), ElementsAre("ERROR"));
  EXPECT_EQ(events[0].object["code"], 410);
  EXPECT_EQ(events[0].object["reason"], "Expired");
  EXPECT_THAT(events[0].object["message"].get<std::string>(),
              HasSubstr("too old resource version: 1 ("));
  EXPECT_EQ(kube::ErrorOfStatus(events[0].object).kind, ErrorKind::kExpired);
}

TEST_F(WatchConformance, TheSinkEndsAWatch) {
  const uint64_t start = VersionOf(kube::kAgents);
  Create(kube::kAgents, Agent("a"));
  Create(kube::kAgents, Agent("b"));
  EXPECT_THAT(Describe(Watch(kube::kAgents, From(start), 1)), ElementsAre("ADDED a"));
}

}  // namespace
}  // namespace roster::conformance
