#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/agent.h"
#include "api/json.h"

namespace roster::api {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kTime = WallTime(std::chrono::seconds(1767323045));  // 2026-01-02T03:04:05Z

AgentStatus FullStatus() {
  AgentStatus status;
  status.observed_generation = 4;
  status.state = AgentState::kRunning;
  status.health = Health::kDegraded;
  status.agent_id = "r-1";
  status.endpoint = "http://researcher.lab.svc:8000";
  status.replicas = 3;
  status.ready_replicas = 2;
  status.selector = "agentroster.dev/agent-uid=u-1";
  status.restarts = 5;
  status.workload = WorkloadRef{"researcher", "u-2", 7, "0123456789abcdef"};
  status.registered_time = kTime;
  status.started_time = kTime + 1s;
  status.last_heartbeat_time = kTime + 2s;
  status.conditions = {
      {"Ready", ConditionStatus::kFalse, "ReplicasMissing", "2 of 3 pods ready", 4, kTime},
      {"Available", ConditionStatus::kTrue, "Available", "", 4, kTime + 3s},
      {"HeartbeatFresh", ConditionStatus::kUnknown, "AwaitingHeartbeat", "\"x\"\n", 3, kTime}};
  status.history = {{kTime, "", "Starting", "CreatingWorkload", ""},
                    {kTime + 4s, "Starting", "Running", "Available", "ci@example"}};
  return status;
}

AgentStatus RoundTrip(const json& status) {
  // Through text, as over the wire.
  const json object{{"metadata", {{"name", "a"}}},
                    {"spec", {{"endpoint", json::object()}}},
                    {"status", json::parse(DumpJson(status))}};
  return ParseAgent(object).value().status;
}

// What the API server makes of a merge patch (RFC 7386).
json Patched(json document, const json& patch) {
  document.merge_patch(patch);
  return document;
}

TEST(StatusJsonTest, ReadsBackWhatItWrites) {
  EXPECT_EQ(RoundTrip(StatusToJson(FullStatus())), FullStatus());
  EXPECT_EQ(RoundTrip(StatusToJson(AgentStatus{})), AgentStatus{});
  for (const AgentState state :
       {AgentState::kUnset, AgentState::kCreated, AgentState::kStarting, AgentState::kRunning,
        AgentState::kPaused, AgentState::kStopping, AgentState::kStopped, AgentState::kFailed,
        AgentState::kLost, AgentState::kTerminating}) {
    for (const Health health : {Health::kUnset, Health::kHealthy, Health::kDegraded,
                                Health::kUnhealthy, Health::kUnknown}) {
      AgentStatus status;
      status.observed_generation = 1;
      status.state = state;
      status.health = health;
      EXPECT_EQ(RoundTrip(StatusToJson(status)), status);
    }
  }
}

TEST(StatusJsonTest, LeavesOutWhatIsEmpty) {
  AgentStatus status;
  status.observed_generation = 1;
  status.history = {{kTime, "", "Starting", "", ""}};
  // "from" above all: "" is not among the values that the CRD allows.
  EXPECT_EQ(StatusToJson(status), json::parse(R"({
    "observedGeneration": 1, "replicas": 0, "readyReplicas": 0,
    "history": [{"time": "2026-01-02T03:04:05Z", "to": "Starting"}]})"));
}

TEST(StatusJsonTest, WritesConditionsWholeAsTheSchemaRequires) {
  AgentStatus status;
  status.conditions = {{"Ready", ConditionStatus::kTrue, "PodsReady", "", 4, kTime}};
  EXPECT_EQ(StatusToJson(status)["conditions"][0], json::parse(R"({
    "type": "Ready", "status": "True", "reason": "PodsReady", "message": "",
    "observedGeneration": 4, "lastTransitionTime": "2026-01-02T03:04:05Z"})"));
}

TEST(StatusPatchTest, IsEmptyIfNothingChanged) {
  EXPECT_EQ(StatusPatch(FullStatus(), FullStatus()), json::object());
}

TEST(StatusPatchTest, HoldsOnlyWhatChanged) {
  AgentStatus to = FullStatus();
  to.ready_replicas = 3;
  to.health = Health::kHealthy;
  EXPECT_EQ(StatusPatch(FullStatus(), to),
            json::parse(R"({"readyReplicas": 3, "health": "Healthy"})"));
}

TEST(StatusPatchTest, WritesListsWhole) {
  AgentStatus to = FullStatus();
  to.conditions[1].message = "changed";
  const json patch = StatusPatch(FullStatus(), to);
  EXPECT_EQ(patch.size(), 1u);
  EXPECT_EQ(patch["conditions"].size(), 3u);
  EXPECT_EQ(patch["conditions"], StatusToJson(to)["conditions"]);
}

TEST(StatusPatchTest, RemovesWithNull) {
  AgentStatus to = FullStatus();
  to.endpoint.clear();
  to.started_time.reset();
  to.workload.reset();
  to.restarts = 0;
  EXPECT_EQ(StatusPatch(FullStatus(), to),
            json::parse(
                R"({"endpoint": null, "startedTime": null, "workload": null, "restarts": null})"));
}

TEST(StatusPatchTest, TheFirstWriteIsWhole) {
  // What the CRD's default leaves in a new object lacks "replicas", which the scale subresource
  // reads.
  AgentStatus to;
  to.observed_generation = 1;
  EXPECT_EQ(StatusPatch(AgentStatus{}, to),
            json::parse(R"({"observedGeneration": 1, "replicas": 0, "readyReplicas": 0})"));
}

TEST(StatusPatchTest, TheFirstWriteRemovesWhatSomebodyLeftThere) {
  AgentStatus from;
  from.endpoint = "http://from.a.backup";
  AgentStatus to;
  to.observed_generation = 1;
  EXPECT_EQ(StatusPatch(from, to)["endpoint"], nullptr);
  EXPECT_TRUE(StatusPatch(from, to).contains("endpoint"));
}

TEST(StatusPatchTest, TurnsOneStatusIntoTheOther) {
  AgentStatus none;
  none.observed_generation = 2;
  AgentStatus some = FullStatus();
  some.workload->generation = 8;
  some.history.pop_back();
  const AgentStatus all[] = {none, some, FullStatus(), AgentStatus{}};
  for (const AgentStatus& from : all) {
    for (const AgentStatus& to : all) {
      const json result = Patched(StatusToJson(from), StatusPatch(from, to));
      EXPECT_EQ(result, StatusToJson(to));
      EXPECT_EQ(RoundTrip(result), to);
    }
  }
}

TEST(AgentStatusTest, FindsAConditionByType) {
  const AgentStatus status = FullStatus();
  ASSERT_NE(status.FindCondition("Available"), nullptr);
  EXPECT_EQ(status.FindCondition("Available")->reason, "Available");
  EXPECT_EQ(status.FindCondition("Stalled"), nullptr);
}

}  // namespace
}  // namespace roster::api
