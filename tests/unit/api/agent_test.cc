#include "api/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/json.h"

namespace roster::api {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// As `kubectl get agents.agentroster.dev researcher -o json` shows it, defaults filled in.
constexpr const char* kFull = R"({
  "apiVersion": "agentroster.dev/v1alpha1",
  "kind": "Agent",
  "metadata": {
    "annotations": {
      "agentroster.dev/not-started": "true",
      "kubectl.kubernetes.io/last-applied-configuration": "{}"
    },
    "creationTimestamp": "2026-01-02T03:04:05Z",
    "generation": 4,
    "labels": {"team": "search", "app": "x"},
    "managedFields": [{"apiVersion": "agentroster.dev/v1alpha1", "fieldsType": "FieldsV1",
      "fieldsV1": {"f:spec": {"f:type": {}}}, "manager": "kubectl", "operation": "Apply",
      "time": "2026-01-02T03:04:05Z"}],
    "name": "researcher",
    "namespace": "lab",
    "resourceVersion": "4711",
    "uid": "0a1b2c3d-0000-4000-8000-000000000001"
  },
  "spec": {
    "agentID": "r-1",
    "description": "Finds sources.",
    "desiredState": "Paused",
    "displayName": "Researcher",
    "heartbeat": {"interval": "10s", "policy": "Required", "timeout": "1m"},
    "metadata": {"model": "m-1", "cost": "low"},
    "replicas": 3,
    "resident": false,
    "restartedAt": "2026-01-02T00:00:00Z",
    "skills": [{"id": "find", "name": "Find", "description": "d", "tags": ["papers", "web"]},
               {"id": "rate"}],
    "type": "research",
    "workload": {"image": "registry.example/researcher:1.4", "port": 8000,
                 "env": [{"name": "A", "value": "b"}], "args": ["--x"]}
  },
  "status": {"observedGeneration": -1}
})";

Result<Agent> Parse(const std::string& text) {
  return ParseAgent(json::parse(text));
}

// An Agent with `spec` in it.
Result<Agent> WithSpec(const std::string& spec) {
  return Parse(
      R"({"metadata": {"name": "a", "namespace": "ns", "resourceVersion": "7"}, "spec": )" + spec +
      "}");
}

TEST(ParseAgentTest, ReadsEveryField) {
  const auto agent = Parse(kFull);
  ASSERT_TRUE(agent.ok()) << agent.error().message;
  EXPECT_EQ(agent->meta.key(), (ObjectKey{"lab", "researcher"}));
  EXPECT_EQ(agent->meta.resource_version, 4711u);
  EXPECT_EQ(agent->meta.generation, 4);
  EXPECT_EQ(agent->meta.uid, "0a1b2c3d-0000-4000-8000-000000000001");
  EXPECT_FALSE(agent->meta.deleting);
  EXPECT_THAT(agent->labels, ElementsAre(Pair("app", "x"), Pair("team", "search")));
  EXPECT_THAT(agent->annotations, ElementsAre(Pair("agentroster.dev/not-started", "true")))
      << "other annotations, such as kubectl's copy of the manifest, are not kept";
  const AgentSpec& spec = agent->spec;
  EXPECT_EQ(spec.type, "research");
  EXPECT_EQ(spec.agent_id, "r-1");
  EXPECT_EQ(agent->EffectiveId(), "r-1");
  EXPECT_EQ(spec.display_name, "Researcher");
  EXPECT_EQ(spec.description, "Finds sources.");
  EXPECT_THAT(spec.metadata, ElementsAre(Pair("cost", "low"), Pair("model", "m-1")));
  EXPECT_THAT(spec.skills, ElementsAre(Skill{"find", "Find", "d", {"papers", "web"}},
                                       Skill{"rate", "", "", {}}));
  EXPECT_EQ(spec.desired_state, DesiredState::kPaused);
  EXPECT_EQ(spec.restarted_at, "2026-01-02T00:00:00Z");
  EXPECT_FALSE(spec.resident);
  EXPECT_EQ(spec.replicas, 3);
  ASSERT_TRUE(spec.workload.has_value());
  EXPECT_EQ(spec.workload->image, "registry.example/researcher:1.4");
  EXPECT_EQ(spec.workload->port, 8000);
  EXPECT_EQ(spec.workload->rest, R"({"args":["--x"],"env":[{"name":"A","value":"b"}]})");
  EXPECT_FALSE(spec.endpoint.has_value());
  EXPECT_EQ(spec.heartbeat, (Heartbeat{HeartbeatPolicy::kRequired, 10s, 1min}));
  EXPECT_EQ(agent->status, AgentStatus{});
}

TEST(ParseAgentTest, FillsInWhatIsNotWritten) {
  const auto agent = WithSpec(R"({"type": "t", "workload": {"image": "i"}})");
  ASSERT_TRUE(agent.ok()) << agent.error().message;
  EXPECT_EQ(agent->EffectiveId(), "a");
  EXPECT_EQ(agent->spec.desired_state, DesiredState::kRunning);
  EXPECT_EQ(agent->spec.replicas, 1);
  EXPECT_EQ(agent->spec.workload, (Workload{"i", std::nullopt, ""}));
  EXPECT_EQ(agent->spec.heartbeat, (Heartbeat{HeartbeatPolicy::kOptional, 15s, 30s}));
  EXPECT_EQ(agent->status.observed_generation, -1);
  EXPECT_EQ(agent->status.state, AgentState::kUnset);
}

TEST(ParseAgentTest, AnEndpointMustReportInUnlessItSaysOtherwise) {
  const struct {
    const char* spec;
    Endpoint endpoint;
    HeartbeatPolicy policy;
  } table[] = {
      {R"({"endpoint": {}})", {"", std::nullopt, "http"}, HeartbeatPolicy::kRequired},
      {R"({"endpoint": {"host": "h", "port": 8443, "scheme": "https"}})",
       {"h", 8443, "https"},
       HeartbeatPolicy::kRequired},
      {R"({"endpoint": {"host": "h"}, "heartbeat": {"interval": "1s", "timeout": "2s"}})",
       {"h", std::nullopt, "http"},
       HeartbeatPolicy::kRequired},
      {R"({"endpoint": {}, "heartbeat": {"policy": "Disabled"}})",
       {"", std::nullopt, "http"},
       HeartbeatPolicy::kDisabled},
  };
  for (const auto& [spec, endpoint, policy] : table) {
    SCOPED_TRACE(spec);
    const auto agent = WithSpec(spec);
    ASSERT_TRUE(agent.ok()) << agent.error().message;
    EXPECT_FALSE(agent->spec.workload.has_value());
    EXPECT_EQ(agent->spec.endpoint, endpoint);
    EXPECT_EQ(agent->spec.heartbeat.policy, policy);
  }
}

TEST(ParseAgentTest, WordsOfANewerVersionFallBack) {
  const auto agent = Parse(R"({"metadata": {"name": "a"},
    "spec": {"desiredState": "Hibernated", "endpoint": {},
             "heartbeat": {"policy": "Sometimes", "interval": "1 week", "timeout": ""}},
    "status": {"state": "Dreaming", "health": "Splendid",
               "conditions": [{"type": "Ready", "status": "Maybe"}], "registeredTime": "long ago"}})");
  ASSERT_TRUE(agent.ok()) << agent.error().message;
  EXPECT_EQ(agent->spec.desired_state, DesiredState::kRunning);
  EXPECT_EQ(agent->spec.heartbeat, (Heartbeat{HeartbeatPolicy::kRequired, 15s, 30s}));
  EXPECT_EQ(agent->status.state, AgentState::kUnset);
  EXPECT_EQ(agent->status.health, Health::kUnset);
  EXPECT_EQ(agent->status.FindCondition("Ready")->status, ConditionStatus::kUnknown);
  EXPECT_EQ(agent->status.registered_time, std::nullopt);
}

TEST(ParseAgentTest, RefusesWrongTypesAndNamesTheObject) {
  const char* specs[] = {
      R"("text")",
      R"([])",
      R"({"workload": "image"})",
      R"({"workload": ["image"]})",
      R"({"workload": {"image": 5}})",
      R"({"workload": {"image": "i", "port": "http"}})",
      R"({"workload": {"image": "i", "port": true}})",
      R"({"endpoint": "host"})",
      R"({"endpoint": {"host": 5}})",
      R"({"endpoint": {}, "type": 5})",
      R"({"endpoint": {}, "type": ["t"]})",
      R"({"endpoint": {}, "replicas": "3"})",
      R"({"endpoint": {}, "replicas": true})",
      R"({"endpoint": {}, "resident": "yes"})",
      R"({"endpoint": {}, "skills": {"id": "x"}})",
      R"({"endpoint": {}, "skills": ["x"]})",
      R"({"endpoint": {}, "skills": [{"id": 1}]})",
      R"({"endpoint": {}, "skills": [{"id": "x", "tags": "t"}]})",
      R"({"endpoint": {}, "metadata": ["a"]})",
      R"({"endpoint": {}, "metadata": {"a": 1}})",
      R"({"endpoint": {}, "heartbeat": "15s"})",
      R"({"endpoint": {}, "heartbeat": {"interval": 15}})",
      R"({"endpoint": {}, "desiredState": 1})",
  };
  for (const char* spec : specs) {
    SCOPED_TRACE(spec);
    const auto agent = WithSpec(spec);
    ASSERT_FALSE(agent.ok());
    EXPECT_EQ(agent.error().kind, ErrorKind::kMalformed);
    EXPECT_THAT(agent.error().message, HasSubstr("Agent ns/a at version 7 cannot be understood: "));
  }
}

TEST(ParseAgentTest, RefusesWhatIsNoAgent) {
  for (const char* text :
       {"null", "5", "[]", "{}", R"({"metadata": {}, "spec": {}})",
        R"({"metadata": "x", "spec": {}})",
        R"({"metadata": {"name": "a", "labels": "x"}, "spec": {"endpoint": {}}})",
        R"({"metadata": {"name": "a"}, "spec": {"endpoint": {}}, "status": []})",
        R"({"metadata": {"name": "a"}, "spec": {"endpoint": {}},
                               "status": {"conditions": {}}})",
        R"({"metadata": {"name": "a"}, "spec": {"endpoint": {}},
                               "status": {"history": ["x"]}})"}) {
    SCOPED_TRACE(text);
    const auto agent = Parse(text);
    ASSERT_FALSE(agent.ok());
    EXPECT_EQ(agent.error().kind, ErrorKind::kMalformed);
  }
}

TEST(ParseAgentTest, NeedsExactlyOneOfWorkloadAndEndpoint) {
  for (const char* spec : {R"({"type": "t"})", R"({"workload": {"image": "i"}, "endpoint": {}})",
                           R"({"workload": null, "endpoint": null})"}) {
    SCOPED_TRACE(spec);
    const auto agent = WithSpec(spec);
    ASSERT_FALSE(agent.ok());
    EXPECT_THAT(agent.error().message, HasSubstr("Agent ns/a"));
    EXPECT_THAT(agent.error().message, HasSubstr("spec.workload and spec.endpoint"));
  }
}

TEST(ParseAgentTest, SeesThatItIsBeingDeleted) {
  const auto agent = Parse(R"({"metadata": {"name": "a",
    "deletionTimestamp": "2026-01-02T03:04:05Z"}, "spec": {"endpoint": {}}})");
  ASSERT_TRUE(agent.ok());
  EXPECT_TRUE(agent->meta.deleting);
}

TEST(NamesTest, EveryWordReadsAsItIsWritten) {
  EXPECT_EQ(ToString(DesiredState::kRunning), "Running");
  EXPECT_EQ(ToString(DesiredState::kPaused), "Paused");
  EXPECT_EQ(ToString(DesiredState::kStopped), "Stopped");
  EXPECT_EQ(ToString(HeartbeatPolicy::kRequired), "Required");
  EXPECT_EQ(ToString(HeartbeatPolicy::kOptional), "Optional");
  EXPECT_EQ(ToString(HeartbeatPolicy::kDisabled), "Disabled");
  EXPECT_EQ(ToString(AgentState::kUnset), "");
  EXPECT_EQ(ToString(Health::kUnset), "");
  EXPECT_EQ(ToString(ConditionStatus::kUnknown), "Unknown");
}

}  // namespace
}  // namespace roster::api
