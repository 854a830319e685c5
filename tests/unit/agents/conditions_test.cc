#include "agents/conditions.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/names.h"
#include "unit/agents/scene.h"

namespace roster::agents {
namespace {

using namespace std::chrono_literals;
using api::AgentState;
using api::DesiredState;
using test::EndpointAgent;
using test::ReadyPod;
using test::Scene;
using test::TroubledPod;
using test::UnreadyPod;
using test::WorkloadAgent;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Told(const std::vector<EventNote>& events) {
  std::vector<std::string> told;
  for (const EventNote& event : events) {
    told.push_back(
        fmt::format("{} {}: {}", event.warning ? "Warning" : "Normal", event.reason, event.note));
  }
  return told;
}

TEST(StatusTest, TellsAllThereIsToTellOfARunningAgent) {
  Scene scene(WorkloadAgent());
  scene.agent.spec.agent_id = "r-1";
  scene.agent.spec.replicas = 2;
  scene.Converge();
  const api::AgentStatus& status = scene.agent.status;
  EXPECT_EQ(status.observed_generation, 1);
  EXPECT_EQ(status.state, AgentState::kRunning);
  EXPECT_EQ(status.health, api::Health::kHealthy);
  EXPECT_EQ(status.agent_id, "r-1");
  EXPECT_EQ(status.endpoint, "http://researcher.lab.svc:8000");
  EXPECT_EQ(status.replicas, 2);
  EXPECT_EQ(status.ready_replicas, 2);
  EXPECT_EQ(status.selector, "agentroster.dev/agent-uid=u-agent");
  EXPECT_EQ(status.restarts, 0);
  EXPECT_EQ(FormatTime(*status.registered_time), "2026-01-01T00:00:00Z") << "when it was created";
  EXPECT_EQ(FormatTime(*status.started_time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(status.workload->name, "researcher");
  EXPECT_EQ(status.workload->generation, 1);
  EXPECT_EQ(scene.Condition("Ready"), "True PodsReady");
  EXPECT_EQ(scene.Condition("Accepted"), "True Accepted");
  EXPECT_EQ(scene.Condition("WorkloadAvailable"), "True PodsReady");
  EXPECT_EQ(scene.Condition("Healthy"), "True Healthy");
  EXPECT_EQ(scene.Condition("Available"), "True Available");
  EXPECT_EQ(scene.Condition("HeartbeatFresh"), "");
  EXPECT_EQ(scene.Condition("Reconciling"), "");
  EXPECT_EQ(scene.Condition("Stalled"), "");
  EXPECT_EQ(scene.Find("Ready")->message, "2 of 2 pods ready");
}

TEST(StatusTest, TellsWhatAnEndpointAgentIs) {
  Scene scene(EndpointAgent());
  scene.Reconcile();
  const api::AgentStatus& status = scene.agent.status;
  EXPECT_EQ(status.state, AgentState::kStarting);
  EXPECT_EQ(status.endpoint, "https://edge.example:8443");
  EXPECT_EQ(status.selector, "");
  EXPECT_EQ(status.workload, std::nullopt);
  EXPECT_EQ(scene.Condition("Ready"), "True Registered");
  EXPECT_EQ(scene.Condition("HeartbeatFresh"), "Unknown AwaitingHeartbeat");
  EXPECT_EQ(scene.Condition("Available"), "False AwaitingHeartbeat");
  EXPECT_EQ(scene.Condition("WorkloadAvailable"), "");
}

TEST(StatusTest, TimesAreWholeSecondsAsTheyAreReadBack) {
  Scene scene(WorkloadAgent());
  scene.now += 999ms;
  scene.Reconcile();
  EXPECT_EQ(scene.Plan().status, scene.agent.status);
}

TEST(StatusTest, EveryConditionSpeaksOfTheGenerationItWasMadeFrom) {
  Scene scene(WorkloadAgent());
  scene.Converge();
  scene.SpecChanged();
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.observed_generation, 2);
  for (const api::Condition& condition : scene.agent.status.conditions) {
    EXPECT_EQ(condition.observed_generation, 2) << condition.type;
  }
}

TEST(StatusTest, TransitionTimesMoveOnlyWhenTheStatusFlips) {
  Scene scene(WorkloadAgent());
  scene.Reconcile();
  const WallTime created = scene.now;
  EXPECT_EQ(scene.Find("Ready")->last_transition_time, created);
  scene.now += 1min;
  scene.pods = {TroubledPod("Unschedulable", "no room")};
  scene.Reconcile();
  EXPECT_EQ(scene.Condition("Ready"), "False Unschedulable");
  EXPECT_EQ(scene.Find("Ready")->last_transition_time, created) << "another reason is no flip";
  scene.now += 1min;
  scene.RunCluster();
  scene.Reconcile();
  EXPECT_EQ(scene.Find("Ready")->last_transition_time, scene.now);
  EXPECT_EQ(scene.Find("Accepted")->last_transition_time, created);
}

TEST(StatusTest, AnEndlessMessageIsCutBetweenCharacters) {
  Scene scene(WorkloadAgent());
  std::string words;
  while (words.size() < 5000) words += "\xe2\x82\xac";  // three bytes each
  for (const std::string shift : {"", "x", "xx"}) {
    scene.pods = {TroubledPod("Unschedulable", shift + words)};
    scene.Reconcile();
    const std::string message = scene.Find("Ready")->message;
    EXPECT_LE(message.size(), 1024u);
    EXPECT_GE(message.size(), 1020u);
    EXPECT_THAT(message, testing::EndsWith("\xe2\x82\xac..."));
  }
}

TEST(StatusTest, TheStartIsRememberedAsLongAsTheAgentIsUp) {
  Scene scene(WorkloadAgent());
  scene.Converge();
  const WallTime started = scene.now;
  const auto after = [&](DesiredState desired, bool cluster) {
    scene.now += 1min;
    scene.agent.spec.desired_state = desired;
    scene.SpecChanged();
    scene.Reconcile();
    if (cluster) {
      scene.RunCluster();
      scene.Reconcile();
    }
    return scene.agent.status.started_time;
  };
  EXPECT_EQ(after(DesiredState::kPaused, true), started);
  EXPECT_EQ(after(DesiredState::kRunning, true), started);
  EXPECT_EQ(after(DesiredState::kStopped, false), started) << "still stopping";
  EXPECT_EQ(after(DesiredState::kStopped, true), std::nullopt);
  EXPECT_EQ(after(DesiredState::kRunning, true), scene.now) << "a new start";
}

TEST(StatusTest, TheRegistrationIsNeverReset) {
  Scene scene(WorkloadAgent());
  scene.Converge();
  const auto registered = scene.agent.status.registered_time;
  scene.agent.meta.creation_time += 1h;  // as after a restore from a backup
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.registered_time, registered);
}

TEST(StatusTest, WithoutAServiceOfItsOwnThereIsNoUrl) {
  Scene scene(WorkloadAgent());
  scene.service_problem = {WriteProblem::Kind::kConflict, {"NameConflict", "taken"}};
  scene.Converge();
  EXPECT_EQ(scene.agent.status.endpoint, "") << "it would lead to somebody else";
}

TEST(HistoryTest, HoldsTheLastTenChangesNewestLast) {
  Scene scene(WorkloadAgent());
  scene.Converge();
  EXPECT_EQ(scene.agent.status.history.front().from, "");
  EXPECT_EQ(scene.agent.status.history.front().to, "Starting");
  EXPECT_EQ(scene.agent.status.history.back().from, "Starting");
  EXPECT_EQ(scene.agent.status.history.back().to, "Running");
  for (int i = 0; i < 9; ++i) {
    scene.now += 1min;
    scene.agent.spec.desired_state = i % 2 == 0 ? DesiredState::kPaused : DesiredState::kRunning;
    scene.SpecChanged();
    scene.Reconcile();
  }
  const auto& history = scene.agent.status.history;
  ASSERT_EQ(history.size(), api::kMaxHistory);
  EXPECT_EQ(history.back().to, "Paused");
  EXPECT_EQ(history.back().reason, "Paused");
  EXPECT_EQ(history.back().time, scene.now);
  for (size_t i = 1; i < history.size(); ++i) {
    EXPECT_EQ(history[i].from, history[i - 1].to);
    EXPECT_LE(history[i - 1].time, history[i].time);
  }
}

TEST(HistoryTest, SaysWhyAndNotOnlyThatAllIsRegistered) {
  api::AgentStatus before;
  Scene scene(EndpointAgent());
  scene.Reconcile();
  EXPECT_EQ(scene.agent.status.history.back().reason, "AwaitingHeartbeat");
  Facts facts;
  facts.kind = Kind::kEndpoint;
  facts.beat = Beat::kLate;
  FactsAndWords gathered;
  gathered.facts = facts;
  const api::AgentStatus lost = MakeStatus(scene.Observe(), gathered, Judge(facts), scene.now);
  EXPECT_EQ(lost.history.back().to, "Lost");
  EXPECT_EQ(lost.history.back().reason, "HeartbeatLate");
  EXPECT_THAT(
      Told(MakeEvents(scene.agent.status, lost)),
      ElementsAre("Warning HeartbeatLate: Starting -> Lost: no heartbeat for longer than 30s, "
                  "spec.heartbeat.timeout"));
}

TEST(EventsTest, TellTheStoryOfAStart) {
  Scene scene(WorkloadAgent());
  scene.Reconcile();
  EXPECT_THAT(Told(scene.events()),
              ElementsAre("Normal Starting: new -> Starting: waiting for the first "
                          "pod of Deployment researcher"));
  scene.pods = {TroubledPod("Unschedulable", "no room")};
  scene.Reconcile();
  EXPECT_THAT(Told(scene.events()),
              ElementsAre("Warning Unschedulable: pod researcher-1: no room"));
  scene.Reconcile();
  EXPECT_THAT(scene.events(), IsEmpty()) << "once";
  scene.RunCluster();
  scene.Reconcile();
  EXPECT_THAT(Told(scene.events()),
              ElementsAre("Normal Running: Starting -> Running: 1 of 1 pods ready"));
}

TEST(EventsTest, TellAFailureWithItsReason) {
  Scene scene(WorkloadAgent());
  scene.Reconcile();
  scene.pods = {TroubledPod("ImagePullBackOff", "container agent: not found")};
  scene.Reconcile();
  EXPECT_THAT(Told(scene.events()), ElementsAre("Warning ImagePullBackOff: Starting -> Failed: pod "
                                                "researcher-1: container agent: not found"));
}

TEST(EventsTest, TellWhenTheHealthTurnsWorseAndWhenItRecovers) {
  Scene scene(WorkloadAgent());
  scene.agent.spec.replicas = 2;
  scene.Converge();
  const auto ready = [&](int count) {
    scene.pods = {count > 0 ? ReadyPod("a") : UnreadyPod("a"),
                  count > 1 ? ReadyPod("b") : UnreadyPod("b")};
    (*scene.deployment)["status"]["readyReplicas"] = count;
    scene.Reconcile();
    return Told(scene.events());
  };
  EXPECT_THAT(ready(1),
              ElementsAre("Warning Degraded: health Healthy -> Degraded: 1 of 2 pods ready"));
  EXPECT_THAT(ready(0),
              ElementsAre("Warning Unhealthy: health Degraded -> Unhealthy: 0 of 2 pods ready"));
  EXPECT_THAT(ready(0), IsEmpty());
  EXPECT_THAT(ready(2),
              ElementsAre("Normal Healthy: health Unhealthy -> Healthy: 2 of 2 pods ready"));
}

TEST(EventsTest, OrdinaryStepsOfARolloutAreNoWarnings) {
  Scene scene(WorkloadAgent());
  scene.Converge();
  scene.agent.spec.workload->image = "i:2";
  scene.SpecChanged();
  scene.Reconcile();
  EXPECT_EQ(scene.Condition("Ready"), "False RollingOut");
  EXPECT_THAT(scene.events(), IsEmpty());
  scene.RunCluster();
  scene.Reconcile();
  EXPECT_THAT(scene.events(), IsEmpty());
}

// Every reason that the state table can give has words of its own, and none of them is only the
// reason.
TEST(WordsTest, EveryReasonHasWordsForAPersonToRead) {
  std::set<std::string> seen;
  FactsAndWords gathered;
  gathered.trouble = {"OwnTrouble", "own words"};
  gathered.refusal = {"OwnRefusal", "own words"};
  gathered.service_trouble = {"OwnService", "own words"};
  for (const Kind kind : {Kind::kWorkload, Kind::kEndpoint}) {
    Scene scene(kind == Kind::kWorkload ? WorkloadAgent() : EndpointAgent());
    for (int bits = 0; bits < 1 << 17; ++bits) {
      int rest = bits;
      const auto take = [&](int count) {
        const int value = rest % count;
        rest /= count;
        return value;
      };
      Facts f;
      f.kind = kind;
      f.deleting = take(2) != 0;
      f.not_started = take(2) != 0;
      f.zero_wanted = take(2) != 0;
      f.was_up = take(2) != 0;
      f.pending = take(2) != 0;
      f.desired = static_cast<DesiredState>(take(3));
      f.refusal = static_cast<Refusal>(take(3));
      f.pods = static_cast<Pods>(take(6));
      f.trouble = static_cast<Trouble>(take(2));
      f.beat = static_cast<Beat>(take(4));
      f.report = static_cast<Report>(take(4));
      if (rest != 0) continue;
      const Verdict verdict = Judge(f);
      bool fresh = false;
      for (const auto* said :
           {&verdict.ready, &verdict.available, &verdict.healthy, &verdict.accepted,
            &verdict.workload_available, &verdict.heartbeat_fresh}) {
        if (said->present) fresh |= seen.insert(std::string(said->reason)).second;
      }
      if (!fresh) continue;
      gathered.facts = f;
      for (const api::Condition& condition :
           MakeStatus(scene.Observe(), gathered, verdict, scene.now).conditions) {
        EXPECT_GE(condition.message.size(), 9u) << condition.reason << ": " << condition.message;
        EXPECT_NE(condition.message, condition.reason);
        EXPECT_THAT(condition.reason, testing::MatchesRegex("[A-Z][A-Za-z]+"));
      }
    }
  }
  EXPECT_GE(seen.size(), 20u);
}

}  // namespace
}  // namespace roster::agents
