#include "agents/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/json.h"
#include "api/names.h"
#include "unit/agents/scene.h"

namespace roster::agents {
namespace {

using namespace std::chrono_literals;
using api::AgentState;
using api::DesiredState;
using nlohmann::json;
using test::Describe;
using test::EndpointAgent;
using test::ReadyPod;
using test::Scene;
using test::UnreadyPod;
using test::WorkloadAgent;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlanTest : public testing::Test {
 protected:
  PlanTest() : scene(WorkloadAgent()) {}

  void Want(DesiredState desired) {
    scene.agent.spec.desired_state = desired;
    scene.SpecChanged();
  }
  json Replicas() const { return (*scene.deployment)["spec"]["replicas"]; }
  bool ServicePaused() const {
    return (*scene.service)["spec"]["selector"].contains("agentroster.dev/paused");
  }
  // "Updated", or "" if nothing is planned.
  std::string WhyFirst() const {
    const PlanResult plan = scene.Plan();
    return plan.actions.empty() ? "" : std::string(plan.actions.front().reason);
  }

  Scene scene;
};

TEST_F(PlanTest, MakesADeploymentAndAService) {
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Service", "create Deployment"));
  EXPECT_EQ(scene.agent.status.state, AgentState::kStarting);
  EXPECT_EQ(scene.Condition("Reconciling"), "True CreatingWorkload");
}

TEST_F(PlanTest, MakesNoServiceWithoutAPort) {
  scene.agent.spec.workload->port.reset();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Deployment"));
  EXPECT_EQ(scene.agent.status.endpoint, "");
}

TEST_F(PlanTest, MakesNothingForAnAgentThatLivesElsewhere) {
  scene.agent = EndpointAgent();
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
}

TEST_F(PlanTest, WritesNothingWhenNothingChanged) {
  scene.Converge();
  const int writes = scene.status_writes();
  for (int i = 0; i < 3; ++i) {
    scene.now += 24h;
    EXPECT_THAT(scene.Reconcile(), IsEmpty());
    EXPECT_THAT(scene.events(), IsEmpty());
  }
  EXPECT_EQ(scene.status_writes(), writes);
  EXPECT_EQ(scene.Plan().look_again, std::nullopt);
}

TEST_F(PlanTest, SaysNothingIsReadyBeforeItIsWritten) {
  scene.Converge();
  scene.agent.spec.workload->image = "i:2";
  scene.SpecChanged();
  // Not Ready for the new generation on the strength of the old pods, even if a write fails now.
  const PlanResult plan = scene.Plan();
  EXPECT_EQ(plan.status.observed_generation, 2);
  EXPECT_EQ(plan.status.FindCondition("Ready")->reason, "Updating");
  EXPECT_EQ(plan.status.FindCondition("Ready")->status, api::ConditionStatus::kFalse);
  EXPECT_EQ(plan.status.FindCondition("Available")->status, api::ConditionStatus::kTrue);
}

TEST_F(PlanTest, DriftOnItsWayBackDoesNotFlapReady) {
  scene.Converge();
  scene.EditDeployment("/spec/replicas", 1);
  const PlanResult plan = scene.Plan();
  EXPECT_THAT(Describe(plan.actions), ElementsAre("apply Deployment"));
  scene.EditDeployment("/status/observedGeneration", 9);
  EXPECT_EQ(scene.Plan().status.FindCondition("Ready")->status, api::ConditionStatus::kTrue);
}

// ---- drift ----

TEST_F(PlanTest, PutsDriftRight) {
  const struct {
    const char* name;
    const char* pointer;  // into the child
    json value;           // null removes
    bool spec;            // whether the server counts it as a new generation
    const char* done;
  } table[] = {
      {"another image", "/spec/template/spec/containers/0/image", "evil:1", true,
       "apply Deployment"},
      {"another scale", "/spec/replicas", 7, true, "apply Deployment"},
      {"kubectl rollout restart",
       "/spec/template/metadata/annotations",
       {{"kubectl.kubernetes.io/restartedAt", "x"}},
       true,
       "apply Deployment"},
      {"our label edited", "/metadata/labels/agentroster.dev~1type", "x", false,
       "apply Deployment"},
      {"our label removed", "/metadata/labels/agentroster.dev~1agent-uid", nullptr, false,
       "apply Deployment"},
      {"our annotation removed", "/metadata/annotations/agentroster.dev~1intent-hash", nullptr,
       false, "apply Deployment"},
      {"the owner removed", "/metadata/ownerReferences", json::array(), false, "apply Deployment"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    scene = Scene(WorkloadAgent());
    scene.Converge();
    const json before = *scene.deployment;
    const json::json_pointer at(row.pointer);
    if (row.spec) {
      scene.EditDeployment(row.pointer, row.value);
    } else if (row.value.is_null()) {
      (*scene.deployment)[at.parent_pointer()].erase(at.back());
    } else {
      (*scene.deployment)[at] = row.value;
    }
    EXPECT_THAT(scene.Reconcile(), ElementsAre(row.done));
    EXPECT_EQ((*scene.deployment)["spec"], before["spec"]);
    EXPECT_EQ((*scene.deployment)["metadata"]["labels"], before["metadata"]["labels"]);
    EXPECT_EQ((*scene.deployment)["metadata"]["ownerReferences"],
              before["metadata"]["ownerReferences"]);
    EXPECT_THAT(scene.Reconcile(), IsEmpty());
  }
}

TEST_F(PlanTest, LeavesAloneWhatIsNotItsOwn) {
  scene.Converge();
  (*scene.deployment)["metadata"]["labels"]["team"] = "search";
  (*scene.deployment)["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2";
  (*scene.service)["spec"]["clusterIP"] = "10.96.0.7";
  (*scene.service)["metadata"]["annotations"]["team"] = "search";
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
}

TEST_F(PlanTest, PutsTheServiceRight) {
  scene.Converge();
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, json>>{{"/spec/selector/app", "x"},
                                                 {"/spec/ports/0/port", 9},
                                                 {"/spec/type", "LoadBalancer"}}) {
    SCOPED_TRACE(pointer);
    (*scene.service)[json::json_pointer(pointer)] = value;
    EXPECT_EQ(WhyFirst(), "DriftCorrected");
    EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service"));
    EXPECT_THAT(scene.Reconcile(), IsEmpty());
  }
}

TEST_F(PlanTest, MakesAgainWhatWasDeleted) {
  scene.Converge();
  scene.deployment.reset();
  scene.service.reset();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Service", "create Deployment"));
  scene.Converge();
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
}

TEST_F(PlanTest, TellsAnUpdateFromDrift) {
  scene.Converge();
  scene.EditDeployment("/spec/replicas", 7);
  EXPECT_EQ(WhyFirst(), "DriftCorrected");
  scene.Converge();
  scene.agent.spec.replicas = 2;
  scene.SpecChanged();
  EXPECT_EQ(WhyFirst(), "Updated");
}

TEST_F(PlanTest, SeesAnEditThatWasUndoneByItsGeneration) {
  scene.Converge();
  scene.EditDeployment("/spec/replicas", 7);
  scene.EditDeployment("/spec/replicas", 1);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_THAT(scene.Reconcile(), IsEmpty())
      << "the server counts no generation for it, and it is recorded";
}

// ---- crashes ----

TEST_F(PlanTest, ACrashAfterTheFirstWriteCostsNoSecond) {
  scene.Reconcile(/*crash_after=*/2);
  EXPECT_EQ(scene.agent.status.workload, std::nullopt);
  EXPECT_THAT(scene.Reconcile(), IsEmpty()) << "our hash and the first generation: surely ours";
}

TEST_F(PlanTest, ACrashAfterAnUpdateCostsOneHarmlessApply) {
  scene.Converge();
  scene.agent.spec.workload->image = "i:2";
  scene.SpecChanged();
  scene.Reconcile(/*crash_after=*/1);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
}

TEST_F(PlanTest, AnEditDuringACrashIsNotTakenForOurs) {
  scene.Reconcile(/*crash_after=*/2);
  scene.EditDeployment("/spec/template/spec/containers/0/image", "evil:1");
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_EQ((*scene.deployment)["spec"]["template"]["spec"]["containers"][0]["image"], "i:1");
}

// ---- what one can ask for ----

TEST_F(PlanTest, StopsByLeavingTheServiceFirst) {
  scene.agent.spec.replicas = 3;
  scene.Converge();
  Want(DesiredState::kStopped);
  EXPECT_THAT(Describe(scene.Plan().actions), ElementsAre("apply Service"))
      << "no request may go to a pod that is going";
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service", "apply Deployment"));
  EXPECT_TRUE(ServicePaused());
  EXPECT_EQ(Replicas(), 0);
  EXPECT_EQ(scene.agent.status.state, AgentState::kStopping);
  EXPECT_EQ(scene.Condition("Ready"), "False Stopping");
  EXPECT_EQ(scene.Condition("Available"), "False Stopping");
  scene.RunCluster();
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.state, AgentState::kStopped);
  EXPECT_EQ(scene.Condition("Ready"), "True Stopped");
  EXPECT_EQ(scene.agent.status.health, api::Health::kUnknown);
}

TEST_F(PlanTest, StopsAtOnceWithoutAService) {
  scene.agent.spec.workload->port.reset();
  scene.Converge();
  Want(DesiredState::kStopped);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_EQ(Replicas(), 0);
}

TEST_F(PlanTest, StopsEvenIfTheServiceCannotBeWritten) {
  scene.Converge();
  Want(DesiredState::kStopped);
  scene.service_problem = {WriteProblem::Kind::kForbidden, {"WriteForbidden", "no"}};
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
}

TEST_F(PlanTest, StartsAgain) {
  Want(DesiredState::kStopped);
  scene.Converge();
  EXPECT_EQ(scene.agent.status.state, AgentState::kStopped);
  Want(DesiredState::kRunning);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service", "apply Deployment"));
  EXPECT_FALSE(ServicePaused());
  EXPECT_EQ(Replicas(), 1);
  EXPECT_EQ(scene.agent.status.state, AgentState::kStarting);
}

TEST_F(PlanTest, AnAgentThatWasNeverStartedIsCreated) {
  scene.agent.annotations = {{"agentroster.dev/not-started", "true"}};
  Want(DesiredState::kStopped);
  scene.Converge();
  EXPECT_EQ(scene.agent.status.state, AgentState::kCreated);
  EXPECT_EQ(scene.Condition("Ready"), "True NotStarted");
}

TEST_F(PlanTest, PausesByTheServiceAlone) {
  scene.Converge();
  Want(DesiredState::kPaused);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service"));
  EXPECT_TRUE(ServicePaused());
  EXPECT_EQ(Replicas(), 1);
  EXPECT_EQ(scene.agent.status.state, AgentState::kPaused);
  EXPECT_EQ(scene.Condition("Ready"), "True Paused");
  EXPECT_EQ(scene.Condition("Available"), "False Paused");
  EXPECT_EQ(scene.agent.status.health, api::Health::kHealthy);
  Want(DesiredState::kRunning);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service"));
  EXPECT_FALSE(ServicePaused());
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
}

TEST_F(PlanTest, AnAgentThatIsPausedFromTheStartComesUpWithoutAlarm) {
  Want(DesiredState::kPaused);
  scene.Reconcile();
  scene.pods = {UnreadyPod()};
  for (int i = 0; i < 3; ++i) {
    scene.Reconcile();
    EXPECT_EQ(scene.agent.status.state, AgentState::kPaused);
    EXPECT_EQ(scene.agent.status.health, api::Health::kUnknown);
    for (const EventNote& event : scene.events()) EXPECT_FALSE(event.warning) << event.note;
  }
  EXPECT_EQ(scene.agent.status.started_time, std::nullopt);
  Want(DesiredState::kRunning);
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.state, AgentState::kStarting) << "no pod was ever ready";
  scene.Converge();
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
}

TEST_F(PlanTest, ARestartChangesThePodTemplateAlone) {
  scene.Converge();
  scene.agent.spec.restarted_at = "2026-01-02T03:04:05Z";
  scene.SpecChanged();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_EQ((*scene.deployment)["spec"]["template"]["metadata"]["annotations"],
            json::parse(R"({"agentroster.dev/restarted-at": "2026-01-02T03:04:05Z"})"));
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
  EXPECT_EQ(scene.Condition("Ready"), "False RollingOut");
}

TEST_F(PlanTest, Scales) {
  scene.Converge();
  scene.agent.spec.replicas = 3;
  scene.SpecChanged();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_EQ(scene.agent.status.health, api::Health::kDegraded);
  EXPECT_EQ(scene.Condition("Ready"), "False PodsNotReady");
  scene.RunCluster();
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.ready_replicas, 3);
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
  scene.agent.spec.replicas = 0;
  scene.SpecChanged();
  scene.Converge();
  EXPECT_EQ(scene.agent.status.state, AgentState::kStopped);
  EXPECT_EQ(scene.Condition("Ready"), "True ScaledToZero");
}

TEST_F(PlanTest, APortThatIsRemovedTakesItsServiceAlong) {
  scene.Converge();
  scene.agent.spec.workload->port.reset();
  scene.SpecChanged();
  const PlanResult plan = scene.Plan();
  EXPECT_THAT(Describe(plan.actions), ElementsAre("delete Service", "apply Deployment"));
  EXPECT_EQ(plan.actions[0].reason, "Deleted");
  EXPECT_TRUE(plan.actions[0].manifest.is_null());
  scene.Converge();
  EXPECT_EQ(scene.agent.status.endpoint, "");
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
}

TEST_F(PlanTest, DoesNothingForAnAgentThatIsGoing) {
  scene.Converge();
  scene.agent.meta.deleting = true;
  scene.deployment->at("spec")["replicas"] = 7;
  EXPECT_THAT(scene.Reconcile(), IsEmpty()) << "its children go with it";
  EXPECT_EQ(scene.agent.status.state, AgentState::kTerminating);
  EXPECT_EQ(scene.Condition("Ready"), "False Terminating");
  EXPECT_EQ(scene.Condition("Reconciling"), "");
}

// ---- what goes wrong ----

TEST_F(PlanTest, ANameThatIsTakenIsToldAndNotTouched) {
  scene.deployment_problem = {
      WriteProblem::Kind::kConflict,
      {"NameConflict", "Deployment researcher already exists and is nobody's"}};
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Service"));
  EXPECT_EQ(scene.agent.status.state, AgentState::kFailed);
  EXPECT_EQ(scene.Condition("Ready"), "False NameConflict");
  EXPECT_EQ(scene.Condition("Stalled"), "True NameConflict");
  EXPECT_THAT(scene.Find("Ready")->message, HasSubstr("already exists"));
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(10s));
}

TEST_F(PlanTest, AServicesNameThatIsTakenLeavesThePodsRunning) {
  scene.service_problem = {WriteProblem::Kind::kConflict,
                           {"NameConflict", "Service researcher is taken"}};
  scene.Converge();
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
  EXPECT_EQ(scene.Condition("Ready"), "False NameConflict");
  EXPECT_EQ(scene.Condition("Stalled"), "True NameConflict");
  EXPECT_EQ(scene.Condition("Available"), "False NameConflict") << "nobody can reach it";
  EXPECT_EQ(scene.agent.status.endpoint, "");
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(10s));
  // The way out: no port, no Service.
  scene.agent.spec.workload->port.reset();
  scene.SpecChanged();
  scene.Converge();
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
  EXPECT_EQ(scene.Plan().look_again, std::nullopt);
}

TEST_F(PlanTest, WhatTheServerRefusesIsNotReadyThoughOldPodsStillRun) {
  scene.Converge();
  scene.agent.spec.workload->image = "i:2";
  scene.SpecChanged();
  scene.deployment_problem = {WriteProblem::Kind::kRefused,
                              {"WriteRefused", "spec.x: Invalid value"}};
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
  EXPECT_EQ(scene.Condition("Available"), "True Available");
  EXPECT_EQ(scene.Condition("Ready"), "False WriteRefused");
  EXPECT_EQ(scene.Condition("Stalled"), "True WriteRefused");
  EXPECT_EQ(scene.Find("Ready")->message, "spec.x: Invalid value") << "the server's own words";
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(10min));
}

TEST_F(PlanTest, AServiceThatIsRefusedIsNotReadyThoughAllPodsAre) {
  scene.service_problem = {WriteProblem::Kind::kForbidden,
                           {"WriteForbidden", "exceeded quota: services"}};
  scene.Converge();
  EXPECT_EQ(scene.Condition("Ready"), "False WriteForbidden");
  EXPECT_EQ(scene.Condition("WorkloadAvailable"), "True PodsReady");
}

TEST_F(PlanTest, WhatIsForbiddenIsTriedAgainSoon) {
  scene.deployment_problem = {WriteProblem::Kind::kForbidden, {"WriteForbidden", "no"}};
  scene.Reconcile();
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(10s));
  scene.deployment_problem.reset();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Deployment"));
  scene.Converge();
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
  EXPECT_EQ(scene.Condition("Stalled"), "");
}

TEST_F(PlanTest, WhatSomebodyMayMendAtAnyTimeIsTriedAgainSooner) {
  const Settings settings;
  EXPECT_EQ(RetryAfter(WriteProblem::Kind::kConflict, settings), 10s);
  EXPECT_EQ(RetryAfter(WriteProblem::Kind::kForbidden, settings), 10s);
  EXPECT_EQ(RetryAfter(WriteProblem::Kind::kRefused, settings), 10min);
}

TEST_F(PlanTest, TheEarliestReasonToLookAgainCounts) {
  scene.Converge();
  scene.service_problem = {WriteProblem::Kind::kRefused, {"WriteRefused", "no"}};
  scene.deployment_problem = {WriteProblem::Kind::kConflict, {"NameConflict", "no"}};
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(10s));
  scene.pods[0].restarts = 1;
  scene.pods[0].ready_since = scene.now - 7s;
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(3s));
}

TEST_F(PlanTest, QuotaAndPodSecurityAreToldInTheServersWords) {
  scene.Converge();
  scene.pods.clear();
  const std::string words =
      "pods \"researcher-x\" is forbidden: exceeded quota: q, used: pods=5, limited: pods=5";
  (*scene.deployment)["status"] = {{"observedGeneration", 1},
                                   {"conditions",
                                    {{{"type", "ReplicaFailure"},
                                      {"status", "True"},
                                      {"reason", "FailedCreate"},
                                      {"message", words}}}}};
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.state, AgentState::kFailed);
  EXPECT_EQ(scene.Condition("Stalled"), "True QuotaExceeded");
  EXPECT_EQ(scene.Find("Ready")->message, words);
}

TEST_F(PlanTest, OfTwoAgentsWithOneIdTheYoungerMakesNothing) {
  scene.id_holder = "elder";
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
  EXPECT_EQ(scene.agent.status.state, AgentState::kFailed);
  EXPECT_EQ(scene.Condition("Accepted"), "False DuplicateID");
  EXPECT_EQ(scene.Condition("Stalled"), "True DuplicateID");
  EXPECT_THAT(scene.Find("Accepted")->message, HasSubstr("\"elder\""));
  scene.id_holder.clear();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Service", "create Deployment"));
}

TEST_F(PlanTest, ADuplicateThatRunsCanBeStopped) {
  scene.Converge();
  scene.id_holder = "elder";
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
  EXPECT_EQ(scene.Condition("Available"), "False DuplicateID");
  Want(DesiredState::kStopped);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service", "apply Deployment"));
  EXPECT_EQ(Replicas(), 0);
}

TEST_F(PlanTest, AnUnusableTemplateMakesNothing) {
  scene.agent.spec.workload->rest = R"({"podTemplate":{"kind":"Pod"}})";
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
  EXPECT_EQ(scene.agent.status.state, AgentState::kFailed);
  EXPECT_EQ(scene.Condition("Accepted"), "False InvalidPodTemplate");
  EXPECT_EQ(scene.Condition("Stalled"), "True InvalidPodTemplate");
  EXPECT_THAT(scene.Find("Ready")->message, HasSubstr("spec.workload.podTemplate.kind"));
}

TEST_F(PlanTest, AnUnusableTemplateLeavesRunningWhatRuns) {
  scene.Converge();
  scene.agent.spec.workload->rest = R"({"podTemplate":{"kind":"Pod"}})";
  scene.SpecChanged();
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
  EXPECT_EQ(scene.Condition("Available"), "True Available");
  EXPECT_EQ(scene.Condition("Ready"), "False InvalidPodTemplate");
  // It can still be paused; and an edit by somebody else is put right once the template is good
  // again.
  Want(DesiredState::kPaused);
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Service"));
  EXPECT_EQ(scene.agent.status.state, AgentState::kPaused);
  scene.EditDeployment("/spec/template/spec/containers/0/image", "evil:1");
  scene.Reconcile();
  scene.agent.spec.workload->rest.clear();
  scene.SpecChanged();
  EXPECT_THAT(scene.Reconcile(), ElementsAre("apply Deployment"));
  EXPECT_EQ((*scene.deployment)["spec"]["template"]["spec"]["containers"][0]["image"], "i:1");
}

TEST_F(PlanTest, WaitsForThePredecessorsChildrenToGo) {
  scene.predecessor_remains = true;
  EXPECT_THAT(scene.Reconcile(), IsEmpty());
  EXPECT_EQ(scene.agent.status.state, AgentState::kStarting);
  EXPECT_EQ(scene.Condition("Ready"), "False AwaitingDeletion");
  EXPECT_EQ(scene.Plan().look_again, std::chrono::milliseconds(1s));
  scene.predecessor_remains = false;
  EXPECT_THAT(scene.Reconcile(), ElementsAre("create Service", "create Deployment"));
}

TEST_F(PlanTest, IsNotReadyWhileAChildOfItsOwnIsStillGoing) {
  scene.Converge();
  scene.service.reset();  // somebody deleted it, and a finalizer holds it
  scene.predecessor_remains = true;
  scene.Reconcile();
  EXPECT_EQ(scene.Condition("Ready"), "False AwaitingDeletion");
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
}

TEST_F(PlanTest, TheSameInputGivesTheSamePlan) {
  scene.Converge();
  scene.EditDeployment("/spec/replicas", 7);
  const PlanResult one = scene.Plan();
  const PlanResult two = scene.Plan();
  ASSERT_EQ(one.actions.size(), two.actions.size());
  EXPECT_EQ(one.actions[0].manifest, two.actions[0].manifest);
  EXPECT_EQ(one.status, two.status);
}

}  // namespace
}  // namespace roster::agents
