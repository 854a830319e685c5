#include "agents/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "api/names.h"
#include "unit/agents/scene.h"

namespace roster::agents {
namespace {

using namespace std::chrono_literals;
using api::AgentState;
using test::EndpointAgent;
using test::ReadyPod;
using test::Scene;
using test::TroubledPod;
using test::UnreadyPod;
using test::WorkloadAgent;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FactsTest : public testing::Test {
 protected:
  FactsTest() : scene(WorkloadAgent()) { scene.Reconcile(); }

  FactsAndWords Gather() const {
    return GatherFacts(scene.Observe(), scene.settings, std::nullopt, scene.now);
  }
  /// The Deployment's status, as its controller would write it.
  void Counts(int current, int updated, int ready) {
    nlohmann::json& status = (*scene.deployment)["status"];
    status["observedGeneration"] = (*scene.deployment)["metadata"]["generation"];
    status["replicas"] = current;
    status["updatedReplicas"] = updated;
    status["readyReplicas"] = ready;
    status["availableReplicas"] = ready;
  }
  void Condition(const std::string& type, const std::string& status, const std::string& reason,
                 const std::string& message) {
    (*scene.deployment)["status"]["conditions"].push_back(
        {{"type", type}, {"status", status}, {"reason", reason}, {"message", message}});
  }
  /// A pod whose container has crashed `restarts` times and runs again.
  api::Pod Restarted(int restarts, bool ready = false,
                     const std::string& name = "researcher-1") const {
    api::Pod pod = UnreadyPod(name);
    pod.restarts = restarts;
    pod.last_exit = "container agent last ended with Error (exit code 1)";
    pod.ready = ready;
    pod.ready_since = scene.now;
    return pod;
  }
  /// ... and waits before its next start.
  api::Pod CrashLooping(int restarts, const std::string& name = "researcher-1") const {
    api::Pod pod = Restarted(restarts, false, name);
    pod.problem = "CrashLoopBackOff";
    pod.problem_message = "container agent: back-off 10s restarting failed container=agent";
    return pod;
  }

  Scene scene;
};

TEST_F(FactsTest, CountsPodsAsFarAsTheyMatter) {
  api::Pod leaving = ReadyPod("researcher-0");
  leaving.meta.deleting = true;
  api::Pod evicted = UnreadyPod("researcher-0");
  evicted.phase = "Failed";
  evicted.problem = "Evicted";
  api::Pod completed = UnreadyPod("researcher-0");
  completed.phase = "Succeeded";
  api::Pod pending = UnreadyPod();
  pending.phase = "Pending";
  const struct {
    const char* name;
    int wanted;
    std::vector<api::Pod> pods;
    int current, updated, ready;  // by the Deployment's status
    Pods facts;
    int existing;
  } table[] = {
      {"nothing yet", 1, {}, 0, 0, 0, Pods::kNone, 0},
      {"a pod that the cache has not seen yet", 1, {}, 1, 1, 0, Pods::kPending, 1},
      {"a pod without a node", 1, {pending}, 1, 1, 0, Pods::kPending, 1},
      {"only one that is going away", 1, {leaving}, 0, 0, 0, Pods::kPending, 1},
      {"an evicted one is a record, no pod", 1, {evicted}, 0, 0, 0, Pods::kNone, 0},
      {"a completed one, too", 1, {completed}, 0, 0, 0, Pods::kNone, 0},
      {"running, not ready", 1, {UnreadyPod()}, 1, 1, 0, Pods::kUnready, 1},
      {"one is ready, two are wanted",
       2,
       {ReadyPod(), UnreadyPod("b")},
       2,
       2,
       1,
       Pods::kSomeReady,
       2},
      {"just what is wanted", 1, {ReadyPod()}, 1, 1, 1, Pods::kAllReady, 1},
      {"evicted ones lie beside what is wanted",
       1,
       {evicted, ReadyPod()},
       1,
       1,
       1,
       Pods::kAllReady,
       1},
      {"old ones are still going away", 1, {leaving, ReadyPod()}, 1, 1, 1, Pods::kAllReady, 2},
      {"one of an older revision", 1, {ReadyPod()}, 1, 0, 1, Pods::kRollingOut, 1},
      {"one too many", 1, {ReadyPod(), ReadyPod("b")}, 2, 1, 2, Pods::kRollingOut, 2},
      {"the pod knows of its end, the Deployment not yet",
       1,
       {UnreadyPod()},
       1,
       1,
       1,
       Pods::kUnready,
       1},
      {"the pod knows it is ready, the Deployment not yet",
       1,
       {ReadyPod()},
       1,
       1,
       0,
       Pods::kUnready,
       1},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    scene.agent.spec.replicas = row.wanted;
    (*scene.deployment)["spec"]["replicas"] = row.wanted;
    scene.pods = row.pods;
    Counts(row.current, row.updated, row.ready);
    const FactsAndWords gathered = Gather();
    EXPECT_EQ(gathered.facts.pods, row.facts);
    EXPECT_EQ(gathered.existing, row.existing);
    EXPECT_EQ(gathered.wanted, row.wanted);
  }
}

TEST_F(FactsTest, APlanThatTheControllerHasNotSeenYetIsNotCarriedOut) {
  scene.pods = {ReadyPod()};
  Counts(1, 1, 1);
  EXPECT_EQ(Gather().facts.pods, Pods::kAllReady);
  (*scene.deployment)["metadata"]["generation"] = 2;
  EXPECT_EQ(Gather().facts.pods, Pods::kRollingOut);
}

TEST_F(FactsTest, APodIsNoLessThereWhenItsDeploymentIsGone) {
  scene.deployment.reset();
  scene.pods = {ReadyPod()};
  EXPECT_EQ(Gather().facts.pods, Pods::kUnready);
}

TEST_F(FactsTest, IsNotStoppedBeforeTheDeploymentCanMakeNoMorePods) {
  scene.agent.spec.desired_state = api::DesiredState::kStopped;
  EXPECT_EQ(Gather().facts.pods, Pods::kPending) << "the Deployment still says 1";
  (*scene.deployment)["spec"]["replicas"] = 0;
  EXPECT_EQ(Gather().facts.pods, Pods::kNone);
}

TEST_F(FactsTest, AnEvictedPodDoesNotKeepAnAgentFromStopping) {
  scene.agent.spec.desired_state = api::DesiredState::kStopped;
  (*scene.deployment)["spec"]["replicas"] = 0;
  api::Pod evicted = UnreadyPod();
  evicted.phase = "Failed";
  scene.pods = {evicted};
  EXPECT_EQ(Gather().facts.pods, Pods::kNone);
}

TEST_F(FactsTest, NamesThePodAndWhatItSays) {
  scene.pods = {TroubledPod("Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.")};
  const FactsAndWords gathered = Gather();
  EXPECT_EQ(gathered.trouble, (Problem{"Unschedulable",
                                       "pod researcher-1: 0/3 nodes are available: 3 "
                                       "Insufficient cpu."}));
}

TEST_F(FactsTest, TellsTheWorstOfSeveralTroubles) {
  scene.pods = {TroubledPod("Unschedulable", "no room", "a"),
                TroubledPod("ImagePullBackOff", "no", "b"),
                TroubledPod("CreateContainerConfigError", "no secret", "c")};
  EXPECT_EQ(Gather().facts.trouble, Trouble::kFailing);
  EXPECT_EQ(Gather().trouble.reason, "ImagePullBackOff") << "the first of the worst";
  scene.pods.push_back(TroubledPod("InvalidImageName", "x:y:z", "d"));
  EXPECT_EQ(Gather().facts.trouble, Trouble::kTerminal);
  EXPECT_EQ(Gather().trouble.reason, "InvalidImageName");
}

TEST_F(FactsTest, ACrashLoopSaysHowTheContainerEnded) {
  scene.pods = {CrashLooping(4)};
  EXPECT_EQ(Gather().trouble,
            (Problem{"CrashLoopBackOff",
                     "pod researcher-1: container agent last ended with Error (exit "
                     "code 1); restarts so far: 4"}));
}

TEST_F(FactsTest, ReasonsThatAConditionCannotCarryAreReplaced) {
  for (const std::string reason : {"has spaces", "-Dash", "9lives", "semi;colon", "\xc3\xa9"}) {
    scene.pods = {TroubledPod(reason, "words")};
    EXPECT_EQ(Gather().trouble, (Problem{"PodsNotReady", "pod researcher-1: words"})) << reason;
  }
}

TEST_F(FactsTest, WhatIsOverIsNotTold) {
  // An older revision's pod still crashes while what is wanted is all there.
  scene.pods = {ReadyPod(), CrashLooping(9, "researcher-old")};
  Counts(1, 1, 1);
  Condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q");
  EXPECT_EQ(Gather().facts.pods, Pods::kAllReady);
  EXPECT_EQ(Gather().facts.trouble, Trouble::kNone);
  EXPECT_EQ(Gather().trouble, Problem());
}

TEST_F(FactsTest, NothingTroublesAnAgentThatWantsNoPods) {
  scene.agent.spec.desired_state = api::DesiredState::kStopped;
  scene.pods = {CrashLooping(3), TroubledPod("InvalidImageName", "x", "b")};
  Counts(2, 2, 0);
  Condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q");
  EXPECT_EQ(Gather().facts.trouble, Trouble::kNone);
}

TEST_F(FactsTest, ALackOfProgressIsToldWithWhatAPodWaitsFor) {
  scene.pods = {TroubledPod("Unschedulable", "0/3 nodes are available")};
  Counts(1, 1, 0);
  Condition("Progressing", "False", "ProgressDeadlineExceeded",
            "ReplicaSet \"r\" has timed out progressing.");
  EXPECT_EQ(Gather().facts.trouble, Trouble::kFailing);
  EXPECT_EQ(Gather().trouble,
            (Problem{"Unschedulable", "pod researcher-1: 0/3 nodes are available"}));
  scene.pods = {UnreadyPod()};
  EXPECT_EQ(Gather().facts.trouble, Trouble::kFailing);
  EXPECT_EQ(Gather().trouble.reason, "ProgressDeadlineExceeded");
  EXPECT_THAT(Gather().trouble.message, HasSubstr("timed out"));
}

TEST_F(FactsTest, AWriteThatFailsIsWorseThanWhatThePodsSay) {
  scene.pods = {TroubledPod("InvalidImageName", "x:y:z")};
  scene.deployment_problem = {WriteProblem::Kind::kForbidden,
                              {"WriteForbidden", "no update for you"}};
  EXPECT_EQ(Gather().facts.trouble, Trouble::kTerminal);
  EXPECT_EQ(Gather().trouble.reason, "WriteForbidden");
  // ... even while all pods are there: they are of what could be written before.
  scene.pods = {ReadyPod()};
  Counts(1, 1, 1);
  EXPECT_EQ(Gather().facts.pods, Pods::kAllReady);
  EXPECT_EQ(Gather().facts.trouble, Trouble::kTerminal);
}

TEST_F(FactsTest, AServiceThatCannotBeWrittenIsNoTroubleOfThePods) {
  scene.service.reset();
  scene.service_problem = {WriteProblem::Kind::kConflict, {"NameConflict", "taken"}};
  const FactsAndWords gathered = Gather();
  EXPECT_TRUE(gathered.facts.service_blocked);
  EXPECT_EQ(gathered.service_trouble.reason, "NameConflict");
  EXPECT_EQ(gathered.facts.trouble, Trouble::kNone);
  // Without a port there need be no Service, and its name is nobody's business.
  scene.agent.spec.workload->port.reset();
  EXPECT_FALSE(Gather().facts.service_blocked);
}

TEST_F(FactsTest, KnowsWhatTheAgentWasAndIs) {
  const struct {
    AgentState state;
    api::Health health;
    bool was_up;
  } table[] = {
      {AgentState::kUnset, api::Health::kUnset, false},
      {AgentState::kStarting, api::Health::kUnknown, false},
      {AgentState::kRunning, api::Health::kHealthy, true},
      {AgentState::kRunning, api::Health::kUnhealthy, true},
      {AgentState::kPaused, api::Health::kHealthy, true},
      {AgentState::kPaused, api::Health::kUnhealthy, true},
      {AgentState::kPaused, api::Health::kUnknown, false},  // paused before it ever came up
      {AgentState::kFailed, api::Health::kUnhealthy, false},
      {AgentState::kStopping, api::Health::kUnknown, false},
      {AgentState::kStopped, api::Health::kUnknown, false},
      {AgentState::kCreated, api::Health::kUnknown, false},
  };
  for (const auto& [state, health, was_up] : table) {
    scene.agent.status.state = state;
    scene.agent.status.health = health;
    EXPECT_EQ(Gather().facts.was_up, was_up) << ToString(state) << " " << ToString(health);
  }
  EXPECT_FALSE(Gather().facts.not_started);
  scene.agent.annotations = {{"agentroster.dev/not-started", "true"}};
  EXPECT_TRUE(Gather().facts.not_started);
  scene.agent.meta.deleting = true;
  EXPECT_TRUE(Gather().facts.deleting);
  scene.agent.spec.replicas = 0;
  EXPECT_TRUE(Gather().facts.zero_wanted);
}

TEST_F(FactsTest, AwaitsHeartbeatsOnlyOfEndpointsThatMustSendThem) {
  EXPECT_EQ(Gather().facts.beat, Beat::kNotExpected);
  scene.agent = EndpointAgent();
  EXPECT_EQ(Gather().facts.beat, Beat::kAwaited);
  EXPECT_EQ(Gather().facts.kind, Kind::kEndpoint);
  scene.agent.spec.heartbeat.policy = api::HeartbeatPolicy::kOptional;
  EXPECT_EQ(Gather().facts.beat, Beat::kNotExpected);
}

TEST_F(FactsTest, ARefusalHasItsOwnWords) {
  const auto with_template = GatherFacts(scene.Observe(), scene.settings,
                                         "spec.workload.podTemplate: \"40000 bytes\"", scene.now);
  EXPECT_EQ(with_template.facts.refusal, Refusal::kTemplate);
  EXPECT_EQ(with_template.refusal.reason, "InvalidPodTemplate");
  scene.id_holder = "elder";
  EXPECT_EQ(Gather().facts.refusal, Refusal::kIdentity);
  EXPECT_EQ(Gather().refusal.reason, "DuplicateID");
  EXPECT_THAT(Gather().refusal.message, HasSubstr("\"researcher\""));
  EXPECT_THAT(Gather().refusal.message, HasSubstr("\"elder\""));
}

TEST_F(FactsTest, ThePredecessorsChildrenAreWaitedFor) {
  scene.deployment.reset();
  scene.predecessor_remains = true;
  EXPECT_EQ(Gather().facts.trouble, Trouble::kPassing);
  EXPECT_EQ(Gather().trouble.reason, "AwaitingDeletion");
}

// ---- crash loops ----

TEST_F(FactsTest, ARestartedPodIsReadyOnlyOnceItHasSettled) {
  Counts(1, 1, 1);
  scene.pods = {Restarted(1, true)};
  EXPECT_EQ(Gather().facts.pods, Pods::kUnready);
  EXPECT_EQ(Gather().look_again, 10s);
  scene.now += 9s + 500ms;
  EXPECT_EQ(Gather().facts.pods, Pods::kUnready);
  EXPECT_EQ(Gather().look_again, 500ms);
  scene.now += 500ms;
  EXPECT_EQ(Gather().facts.pods, Pods::kAllReady);
  EXPECT_EQ(Gather().look_again, std::nullopt);
}

TEST_F(FactsTest, APodThatNeverRestartedIsReadyAtOnce) {
  Counts(1, 1, 1);
  scene.pods = {ReadyPod()};
  scene.pods[0].ready_since = scene.now;
  EXPECT_EQ(Gather().facts.pods, Pods::kAllReady);
}

// One turn of the loop after the other; `events` are all that was told.
class CrashLoopTest : public FactsTest {
 protected:
  void Turn(const api::Pod& pod, int deployment_says_ready) {
    scene.pods = {pod};
    Counts(1, 1, deployment_says_ready);
    scene.Reconcile();
    states.push_back(scene.agent.status.state);
    messages.push_back(scene.Find("Ready")->message);
    for (const EventNote& event : scene.events()) events.push_back(event.reason);
  }
  std::vector<AgentState> states;
  std::vector<std::string> messages;
  std::vector<std::string> events;
};

TEST_F(CrashLoopTest, FailsOnceAndNotAtEveryTurn) {
  Turn(CrashLooping(1), 0);
  EXPECT_EQ(states.back(), AgentState::kFailed);
  states.clear();
  events.clear();
  for (int restarts = 2; restarts < 8; ++restarts) {
    messages.clear();
    scene.now += 40s;
    Turn(Restarted(restarts), 0);        // it runs again
    Turn(Restarted(restarts, true), 0);  // is ready, which its Deployment does not know yet
    Turn(Restarted(restarts, true), 1);
    scene.now += 5s;
    Turn(Restarted(restarts), 1);  // ends, which its Deployment does not know yet
    api::Pod ended = Restarted(restarts);
    ended.problem = "Error";
    ended.problem_message = "container agent ended with Error (exit code 1)";
    Turn(ended, 0);
    Turn(CrashLooping(restarts), 0);  // and waits again
    EXPECT_THAT(messages, testing::Each(messages.front())) << "one text for one turn";
  }
  EXPECT_THAT(states, testing::Each(AgentState::kFailed));
  EXPECT_THAT(events, testing::IsEmpty());
  EXPECT_EQ(scene.agent.status.health, api::Health::kUnhealthy);
  EXPECT_EQ(scene.Condition("Ready"), "False CrashLoopBackOff");
}

TEST_F(CrashLoopTest, WritesTheStatusOnceATurn) {
  Turn(CrashLooping(1), 0);
  const int before = scene.status_writes();
  scene.now += 40s;
  Turn(Restarted(2), 0);
  Turn(CrashLooping(2), 0);
  EXPECT_EQ(scene.status_writes(), before + 1);
}

TEST_F(CrashLoopTest, HealsOnceThePodHasSettled) {
  Turn(CrashLooping(3), 0);
  scene.now += 40s;
  Turn(Restarted(4, true), 1);
  EXPECT_EQ(states.back(), AgentState::kFailed);
  const api::Pod same = scene.pods[0];
  scene.now += 10s;
  Turn(same, 1);
  EXPECT_EQ(states.back(), AgentState::kRunning);
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
  EXPECT_EQ(scene.agent.status.health, api::Health::kHealthy);
}

TEST_F(CrashLoopTest, HealsAtOnceWithPodsOfANewRevision) {
  Turn(CrashLooping(3), 0);
  api::Pod next = ReadyPod("researcher-2");
  next.ready_since = scene.now;
  scene.pods = {CrashLooping(3), next};
  Counts(2, 1, 1);
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.state, AgentState::kRunning) << "though the old pod is not gone yet";
}

TEST_F(CrashLoopTest, ASingleCrashOfARunningAgentIsNoFailure) {
  Turn(ReadyPod(), 1);
  ASSERT_EQ(states.back(), AgentState::kRunning);
  api::Pod ended = Restarted(0);
  ended.problem = "OOMKilled";
  ended.problem_message = "container agent ended with OOMKilled (exit code 137)";
  Turn(ended, 0);
  EXPECT_EQ(states.back(), AgentState::kRunning);
  EXPECT_EQ(scene.agent.status.health, api::Health::kUnhealthy);
  EXPECT_EQ(scene.Condition("Available"), "False OOMKilled");
  Turn(Restarted(1), 0);
  Turn(Restarted(1, true), 1);
  EXPECT_EQ(states.back(), AgentState::kRunning);
  EXPECT_EQ(scene.agent.status.health, api::Health::kUnhealthy) << "not settled yet";
  const api::Pod same = scene.pods[0];
  scene.now += 10s;
  Turn(same, 1);
  EXPECT_EQ(scene.agent.status.health, api::Health::kHealthy);
}

TEST_F(CrashLoopTest, OneBadPodAmongGoodOnesIsToldOnce) {
  scene.agent.spec.replicas = 2;
  scene.SpecChanged();
  scene.Converge();
  ASSERT_EQ(scene.agent.status.state, AgentState::kRunning);
  events.clear();
  const auto turn = [&](const api::Pod& bad, int ready) {
    scene.pods = {bad, ReadyPod("researcher-2")};
    Counts(2, 2, ready);
    scene.Reconcile();
    for (const EventNote& event : scene.events()) events.push_back(event.reason);
    EXPECT_EQ(scene.agent.status.state, AgentState::kRunning);
    EXPECT_EQ(scene.agent.status.health, api::Health::kDegraded);
  };
  for (int restarts = 1; restarts < 5; ++restarts) {
    turn(CrashLooping(restarts), 1);
    scene.now += 40s;
    turn(Restarted(restarts + 1), 1);
    turn(Restarted(restarts + 1, true), 2);
  }
  EXPECT_THAT(events, testing::ElementsAre("CrashLoopBackOff"));
}

TEST_F(CrashLoopTest, AnImageThatCannotBePulledFailsOnceAndNotAtEveryTry) {
  const api::Pod pull = TroubledPod("ErrImagePull", "container agent: not found");
  const api::Pod wait =
      TroubledPod("ImagePullBackOff", "container agent: Back-off pulling image \"i:1\"");
  Turn(pull, 0);
  EXPECT_EQ(states.back(), AgentState::kStarting);
  Turn(wait, 0);
  EXPECT_EQ(states.back(), AgentState::kFailed);
  events.clear();
  const int before = scene.status_writes();
  for (int i = 0; i < 5; ++i) {
    scene.now += 5min;
    Turn(pull, 0);
    Turn(wait, 0);
    EXPECT_EQ(states.back(), AgentState::kFailed);
  }
  EXPECT_THAT(events, testing::IsEmpty());
  EXPECT_EQ(scene.status_writes(), before);
  // Mended: another image, another pod.
  api::Pod fresh = UnreadyPod("researcher-2");
  fresh.phase = "Pending";
  Turn(fresh, 0);
  EXPECT_EQ(states.back(), AgentState::kStarting);
}

TEST_F(CrashLoopTest, AProgramThatDoesNotExistIsOneCrashLoopToo) {
  api::Pod pod = UnreadyPod();
  pod.problem = "StartError";
  pod.problem_message = "container agent ended with StartError (exit code 128): exec: not found";
  pod.last_exit = "container agent last ended with StartError (exit code 128): exec: not found";
  Turn(pod, 0);
  EXPECT_EQ(states.back(), AgentState::kFailed);
  EXPECT_THAT(messages.back(), HasSubstr("exec: not found"));
  pod.restarts = 1;
  pod.problem = "CrashLoopBackOff";
  pod.problem_message = "container agent: back-off 10s";
  Turn(pod, 0);
  events.clear();
  messages.clear();
  for (const std::string problem : {"RunContainerError", "StartError", "CrashLoopBackOff"}) {
    pod.problem = problem;
    Turn(pod, 0);
  }
  EXPECT_THAT(events, testing::IsEmpty());
  EXPECT_THAT(messages,
              testing::Each(AllOf(StartsWith("pod researcher-1: "), HasSubstr("exec: not found"),
                                  Not(HasSubstr("back-off")))));
}

}  // namespace
}  // namespace roster::agents
