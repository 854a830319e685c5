// The whole loop by hand: what is written, in which order, and what the Agent then says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/controller/world.h"

namespace roster::controller {
namespace {

using fake::Action;
using fake::Fault;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class LoopTest : public ::testing::Test {
 protected:
  void Start(const std::string& name, json fields = json::object()) {
    w.server.Put(AgentManifest(name, WorkloadSpec(std::move(fields))));
    ASSERT_TRUE(w.Settle());
    ASSERT_EQ(w.State(name), "Running") << w.Agent(name).dump(1);
    w.server.ClearActions();
  }
  World w;
};

TEST_F(LoopTest, AFreshWorkloadAgentCostsOneCreateAndOneStatusPatch) {
  w.cluster_runs = false;
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  EXPECT_THAT(w.Writes(), ElementsAre(Action{"create", "deployments", "default", "a"},
                                      Action{"patch", "agents", "default", "a", "status"}));
  EXPECT_EQ(w.State("a"), "Starting");
}

TEST_F(LoopTest, APortCostsOneServiceMore) {
  w.cluster_runs = false;
  w.server.Put(AgentManifest("a", WorkloadSpec({{"port", 80}})));
  ASSERT_TRUE(w.Settle());
  EXPECT_THAT(w.Writes(), ElementsAre(Action{"create", "services", "default", "a"},
                                      Action{"create", "deployments", "default", "a"},
                                      Action{"patch", "agents", "default", "a", "status"}));
}

TEST_F(LoopTest, NothingIsWrittenWhenNothingChangedNotEvenAfterARestart) {
  Start("a", {{"port", 80}});
  w.server.Put(AgentManifest("e", {{"type", "t"}, {"endpoint", json::object()}}));
  ASSERT_TRUE(w.Settle());
  w.server.ClearActions();
  w.Restart();
  ASSERT_TRUE(w.Settle());
  EXPECT_THAT(w.server.Actions(), IsEmpty());
}

TEST_F(LoopTest, AWatchListMakesOneListOfEachResource) {
  w.Round();
  EXPECT_THAT(w.server.Requests(), Contains(Action{"watch", "agents", "", ""}));
  EXPECT_TRUE(w.controller->synced());
}

TEST_F(LoopTest, AServerWithoutWatchListIsListedByPages) {
  World world;
  world.server.SupportWatchList(false);
  for (int i = 0; i < 1203; ++i) {
    world.server.Put(
        AgentManifest("a" + std::to_string(i), {{"type", "t"}, {"endpoint", json::object()}}));
  }
  ASSERT_TRUE(world.Settle());
  EXPECT_EQ(world.controller->agents().size(), 1203U);
  EXPECT_EQ(world.State("a1202"), "Starting");
}

TEST_F(LoopTest, ADeploymentEditedByHandIsPutRightAndTheStatusRecordsIt) {
  Start("a");
  w.server.Mutate(kube::kDeployments, {"default", "a"}, [](json& d) { d["spec"]["replicas"] = 7; });
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Deployment("a")["spec"]["replicas"], 1);
  EXPECT_EQ(w.Agent("a")["status"]["workload"]["generation"],
            w.Deployment("a")["metadata"]["generation"]);
}

TEST_F(LoopTest, AnEnvEntryAnArgumentAndALabelRemovedFromTheAgentLeaveItsDeployment) {
  Start("a", {{"args", {"x", "y"}},
              {"env", {{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "2"}}}},
              {"podTemplate", {{"metadata", {{"labels", {{"team", "red"}}}}}}}});
  w.Edit("a", [](json& spec) {
    spec["workload"]["args"] = {"x"};
    spec["workload"]["env"] = {{{"name", "B"}, {"value", "2"}}};
    spec["workload"].erase("podTemplate");
  });
  ASSERT_TRUE(w.Settle());
  const json pod = w.Deployment("a")["spec"]["template"];
  EXPECT_EQ(pod["spec"]["containers"][0]["args"], json({"x"}));
  EXPECT_EQ(pod["spec"]["containers"][0]["env"].size(), 1U);
  EXPECT_FALSE(pod["metadata"]["labels"].contains("team"));
}

TEST_F(LoopTest, StopLeavesTheServiceBeforeItScalesToZero) {
  Start("a", {{"port", 80}});
  w.Edit("a", [](json& spec) { spec["desiredState"] = "Stopped"; });
  ASSERT_TRUE(w.Settle());
  const auto writes = w.Writes();
  const auto service =
      std::find(writes.begin(), writes.end(), Action{"apply", "services", "default", "a"});
  const auto deployment =
      std::find(writes.begin(), writes.end(), Action{"apply", "deployments", "default", "a"});
  ASSERT_NE(service, writes.end()) << ::testing::PrintToString(writes);
  ASSERT_NE(deployment, writes.end()) << ::testing::PrintToString(writes);
  EXPECT_LT(service - writes.begin(), deployment - writes.begin());
  EXPECT_EQ(w.State("a"), "Stopped");
  EXPECT_EQ(w.Condition("a", "Ready"), "True Stopped");
}

TEST_F(LoopTest, AForeignDeploymentIsNeverTouchedAndFoundOutAgainWithoutAWrite) {
  w.server.Put({{"apiVersion", "apps/v1"},
                {"kind", "Deployment"},
                {"metadata", {{"name", "a"}, {"namespace", "default"}}},
                {"spec",
                 {{"replicas", 0},
                  {"selector", {{"matchLabels", {{"app", "x"}}}}},
                  {"template",
                   {{"metadata", {{"labels", {{"app", "x"}}}}},
                    {"spec",
                     {{"containers",
                       json::array({{{"name", "x"}, {"image", "registry.example/x:1"}}})}}}}}}}});
  const json before = w.Deployment("a");
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Condition("a", "Ready"), "False NameConflict");
  EXPECT_EQ(w.Condition("a", "Stalled"), "True NameConflict");
  EXPECT_THAT(w.Message("a", "Ready"), HasSubstr("Deployment a"));
  w.server.ClearActions();
  w.clock.Advance(11s);
  ASSERT_TRUE(w.Settle());
  EXPECT_THAT(w.server.Actions(), IsEmpty());
  EXPECT_EQ(w.Deployment("a")["spec"], before["spec"]);
  const json after = w.Deployment("a");
  for (const json& entry : after["metadata"]["managedFields"]) {
    EXPECT_NE(entry["manager"], "roster");
  }

  w.server.Delete(kube::kDeployments, {"default", "a"});
  w.clock.Advance(11s);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Running");
}

TEST_F(LoopTest, ALabelStrippedFromAChildIsPutBackThoughTheWatchSaysDeleted) {
  Start("a");
  const json uid = w.Deployment("a")["metadata"]["uid"];
  w.server.Mutate(kube::kDeployments, {"default", "a"},
                  [](json& d) { d["metadata"]["labels"].erase("app.kubernetes.io/managed-by"); });
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Deployment("a")["metadata"]["labels"]["app.kubernetes.io/managed-by"], "roster");
  EXPECT_EQ(w.Deployment("a")["metadata"]["uid"], uid);
}

TEST_F(LoopTest, ARefusedTemplateIsNotSentAgainBeforeTheSpecChanges) {
  w.server.FailNext("create", "deployments", 1,
                    Fault::Answer(422, "Invalid", "spec.template: Invalid value"));
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Condition("a", "Stalled"), "True WriteRefused");
  EXPECT_THAT(w.Message("a", "Ready"), HasSubstr("spec.template: Invalid value"));
  w.server.ClearActions();
  w.EditMeta("a", [](json& metadata) { metadata["labels"]["x"] = "y"; });
  w.clock.Advance(1min);
  ASSERT_TRUE(w.Settle());
  EXPECT_THAT(w.Writes(), IsEmpty());
  w.Edit("a", [](json& spec) { spec["workload"]["image"] = "registry.example/agent:2"; });
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Running");
}

TEST_F(LoopTest, ARefusedTemplateIsTriedAgainAfterTenMinutesForTheServerMayHaveChanged) {
  w.server.FailNext("create", "deployments", 1, Fault::Answer(422, "Invalid", "no"));
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  w.clock.Advance(10min);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Running");
}

TEST_F(LoopTest, AForbiddenWriteIsShownVerbatimAndTriedAgainWithinTenSeconds) {
  w.server.FailNext("create", "deployments", 2,
                    Fault::Answer(403, "Forbidden", "exceeded quota: tight"));
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Condition("a", "Ready"), "False WriteForbidden");
  EXPECT_THAT(w.Message("a", "Ready"), HasSubstr("exceeded quota: tight"));
  w.clock.Advance(10s);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Condition("a", "Ready"), "False WriteForbidden");
  w.clock.Advance(10s);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Running");
}

TEST_F(LoopTest, OwnWritesAreWaitedForBeforeTheNextDecision) {
  w.Round();
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  w.controller->StepInformers();
  ASSERT_TRUE(w.controller->StepWorker());
  w.server.ClearActions();
  // The Deployment exists, but the cache does not know: a second reconcile must not create it
  // again.
  w.controller->queue().Add({"default", "a"});
  ASSERT_TRUE(w.controller->StepWorker());
  EXPECT_THAT(w.server.Requests(), IsEmpty());
}

TEST_F(LoopTest, ACacheThatStaysBehindIsReadLiveAfterThirtySeconds) {
  struct Lagging : Observer {
    void CacheLagged() override { ++count; }
    int count = 0;
  } lagging;
  w.controller.emplace(
      w.client, w.clock, SilentLogger(), lagging, [] { return 0.5; }, ControllerOptions{});
  w.controller->StepInformers();
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  w.controller->StepInformers();
  ASSERT_TRUE(w.controller->StepWorker());
  w.server.ClearActions();
  w.clock.Advance(31s);
  w.controller->queue().Add({"default", "a"});
  while (w.controller->StepWorker()) {
  }
  EXPECT_GE(lagging.count, 1);
  EXPECT_THAT(w.server.Requests(), Contains(Action{"get", "deployments", "default", "a"}));
  EXPECT_THAT(w.Writes(), IsEmpty());
}

TEST_F(LoopTest, AnAgentRecreatedUnderTheSameNameWaitsForItsPredecessorsChildren) {
  Start("a");
  w.server.CollectGarbageAtOnce(false);
  w.server.Delete(kube::kAgents, {"default", "a"});
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Condition("a", "Ready"), "False AwaitingDeletion");
  w.server.RunGarbageCollector();
  w.clock.Advance(2s);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Running");
}

TEST_F(LoopTest, OfTwoAgentsWithOneIdTheOlderHoldsItUntilItGoes) {
  Start("a");
  w.clock.Advance(2s);
  json other = WorkloadSpec();
  other["agentID"] = "a";
  w.server.Put(AgentManifest("b", other));
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Condition("b", "Accepted"), "False DuplicateID");
  EXPECT_TRUE(w.Deployment("b").is_null());
  w.server.Delete(kube::kAgents, {"default", "a"});
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("b"), "Running");
}

TEST_F(LoopTest, ACrashLoopBecomesFailedAndHealsOnlyOnceItHasBeenReadyForAWhile) {
  w.cluster.SetBehaviour({"default", "a"}, fake::PodBehaviour::kCrashLoop);
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  for (int i = 0; i < 12; ++i) w.Round();
  EXPECT_EQ(w.State("a"), "Failed") << w.Agent("a").dump(1);
  EXPECT_EQ(w.Condition("a", "Ready"), "False CrashLoopBackOff");
  w.cluster.SetBehaviour({"default", "a"}, fake::PodBehaviour::kReady);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Failed") << "one good second proves nothing";
  w.clock.Advance(11s);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Running") << w.Agent("a").dump(1);
}

TEST_F(LoopTest, AnObjectThatCannotBeUnderstoodHarmsNobodyElseAndIsCounted) {
  struct Counting : Observer {
    void ObjectMalformed(std::string_view resource) override { malformed.emplace_back(resource); }
    std::vector<std::string> malformed;
  } counting;
  w.controller.emplace(
      w.client, w.clock, SilentLogger(), counting, [] { return 0.5; }, ControllerOptions{});
  Start("a");
  const json pod = w.server.List(kube::kPods).front();
  const api::ObjectKey key{"default", pod["metadata"]["name"]};
  w.cluster_runs = false;
  w.server.Mutate(kube::kPods, key, [](json& p) { p["status"]["phase"] = 7; });
  w.server.Put(AgentManifest("b", {{"type", "t"}, {"endpoint", json::object()}}));
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("b"), "Starting");
  EXPECT_EQ(w.State("a"), "Running") << "the last pod that was understood still counts";
  EXPECT_THAT(counting.malformed, ElementsAre("pods"));
}

TEST_F(LoopTest, TransitionsAreToldAsEventsOnce) {
  Start("a");
  std::vector<std::string> notes;
  for (const json& event : w.server.List(kube::kEvents)) notes.push_back(event["note"]);
  EXPECT_THAT(notes, Contains("Created Deployment a"));
  EXPECT_THAT(notes, Contains(HasSubstr("Starting -> Running")));
  EXPECT_EQ(std::set<std::string>(notes.begin(), notes.end()).size(), notes.size());
}

TEST_F(LoopTest, AnOutageOfTheServerIsSurvivedAndShownByTheInformers) {
  Start("a");
  w.server.StopAnswering();
  w.Round();
  for (const auto& watch : w.controller->Watches()) {
    EXPECT_TRUE(watch.synced);
    ASSERT_TRUE(watch.error.has_value()) << watch.resource;
    EXPECT_EQ(watch.error->kind, ErrorKind::kUnavailable);
  }
  w.server.StartAnswering();
  w.Edit("a", [](json& spec) { spec["replicas"] = 3; });
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.Agent("a")["status"]["readyReplicas"], 3);
  w.server.SendBookmarks();  // a watch that ends without a word counts as failed
  w.Round();
  for (const auto& watch : w.controller->Watches())
    EXPECT_FALSE(watch.error.has_value()) << watch.resource << ": " << watch.error->message;
}

TEST_F(LoopTest, HistoryThatWasCompactedAwayIsListedAgain) {
  Start("a");
  w.server.Put(AgentManifest("b", WorkloadSpec()));
  w.server.Compact();
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("b"), "Running");
}

TEST_F(LoopTest, AnAgentDeletedWhileNobodyWatchedIsForgotten) {
  Start("a");
  w.server.Delete(kube::kAgents, {"default", "a"});
  w.server.Compact();
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.controller->agents().size(), 0U);
}

TEST_F(LoopTest, DataThatWentBackInTimeIsReadAnew) {
  w.server.Put(AgentManifest("a", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  const uint64_t snapshot = w.server.version();
  w.server.Put(AgentManifest("b", WorkloadSpec()));
  ASSERT_TRUE(w.Settle());
  w.server.Rewind(snapshot);
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.controller->agents().size(), 1U);
  w.Edit("a", [](json& spec) { spec["desiredState"] = "Stopped"; });
  ASSERT_TRUE(w.Settle());
  EXPECT_EQ(w.State("a"), "Stopped");
}

}  // namespace
}  // namespace roster::controller
