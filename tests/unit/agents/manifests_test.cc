#include "agents/manifests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agents/pod_template.h"
#include "api/json.h"
#include "unit/agents/scene.h"

namespace roster::agents {
namespace {

using api::DesiredState;
using nlohmann::json;
using test::EndpointAgent;
using test::WorkloadAgent;

json Deployment(const api::Agent& agent) {
  return MakeDeployment(agent, MakePodTemplate(agent, Settings()).value());
}

TEST(DeploymentTest, HoldsTheCompleteIntent) {
  json made = Deployment(WorkloadAgent());
  const std::string hash = IntentHash(made);
  EXPECT_THAT(hash, testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(made, json::parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {
      "name": "researcher", "namespace": "lab",
      "labels": {"agentroster.dev/agent-uid": "u-agent", "agentroster.dev/type": "research",
                 "app.kubernetes.io/managed-by": "roster", "app.kubernetes.io/name": "researcher"},
      "annotations": {"agentroster.dev/intent-hash": ")" +
                              hash + R"("},
      "ownerReferences": [{"apiVersion": "agentroster.dev/v1alpha1", "kind": "Agent",
                           "name": "researcher", "uid": "u-agent", "controller": true}]},
    "spec": {
      "replicas": 1, "revisionHistoryLimit": 3,
      "selector": {"matchLabels": {"agentroster.dev/agent-uid": "u-agent"}},
      "strategy": {"type": "RollingUpdate",
                   "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
      "template": {
        "metadata": {"labels": {"agentroster.dev/agent-uid": "u-agent",
                                "agentroster.dev/type": "research",
                                "app.kubernetes.io/managed-by": "roster",
                                "app.kubernetes.io/name": "researcher"}},
        "spec": {"containers": [{"name": "agent", "image": "i:1",
                 "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]}]}}}})"));
}

TEST(DeploymentTest, HasAsManyReplicasAsTheStateAllows) {
  const struct {
    DesiredState desired;
    int32_t replicas;
    int32_t made;
  } table[] = {{DesiredState::kRunning, 3, 3},
               {DesiredState::kPaused, 3, 3},
               {DesiredState::kStopped, 3, 0},
               {DesiredState::kRunning, 0, 0}};
  for (const auto& [desired, replicas, made] : table) {
    api::Agent agent = WorkloadAgent();
    agent.spec.desired_state = desired;
    agent.spec.replicas = replicas;
    EXPECT_EQ(Deployment(agent)["spec"]["replicas"], made);
  }
}

TEST(DeploymentTest, AResidentAgentNeverRunsTwice) {
  api::Agent agent = WorkloadAgent();
  agent.spec.resident = true;
  // The null takes the other strategy's settings away, which the server would refuse beside
  // Recreate.
  EXPECT_EQ(Deployment(agent)["spec"]["strategy"],
            json::parse(R"({"type": "Recreate", "rollingUpdate": null})"));
}

TEST(DeploymentTest, ItsHashFollowsEveryFieldThatMatters) {
  std::set<std::string> hashes;
  const auto add = [&](auto change) {
    api::Agent agent = WorkloadAgent();
    change(agent.spec);
    hashes.insert(IntentHash(Deployment(agent)));
  };
  add([](api::AgentSpec&) {});
  add([](api::AgentSpec& s) { s.replicas = 2; });
  add([](api::AgentSpec& s) { s.desired_state = DesiredState::kStopped; });
  add([](api::AgentSpec& s) { s.resident = true; });
  add([](api::AgentSpec& s) { s.restarted_at = "2026-01-02T03:04:05Z"; });
  add([](api::AgentSpec& s) { s.workload->image = "i:2"; });
  add([](api::AgentSpec& s) { s.workload->port = 8001; });
  add([](api::AgentSpec& s) { s.workload->rest = R"({"args":["x"]})"; });
  EXPECT_EQ(hashes.size(), 8u);
  // What concerns Roster alone rolls no pods.
  add([](api::AgentSpec& s) { s.description = "new words"; });
  add([](api::AgentSpec& s) { s.skills.push_back({"x", "", "", {}}); });
  add([](api::AgentSpec& s) { s.metadata = {{"a", "b"}}; });
  add([](api::AgentSpec& s) { s.heartbeat.timeout = std::chrono::minutes(1); });
  add([](api::AgentSpec& s) { s.desired_state = DesiredState::kPaused; });
  EXPECT_EQ(hashes.size(), 8u);
}

TEST(ServiceTest, HoldsTheCompleteIntent) {
  json made = MakeService(WorkloadAgent());
  EXPECT_EQ(made["spec"], json::parse(R"({
    "type": "ClusterIP", "selector": {"agentroster.dev/agent-uid": "u-agent"},
    "ports": [{"name": "http", "port": 8000, "targetPort": 8000, "protocol": "TCP"}]})"));
  EXPECT_EQ(made["metadata"]["name"], "researcher");
  EXPECT_EQ(made["metadata"]["labels"]["app.kubernetes.io/managed-by"], "roster");
  EXPECT_EQ(made["metadata"]["ownerReferences"][0]["uid"], "u-agent");
}

TEST(ServiceTest, SelectsNothingUnlessTheAgentIsToRun) {
  for (const DesiredState desired : {DesiredState::kPaused, DesiredState::kStopped}) {
    api::Agent agent = WorkloadAgent();
    agent.spec.desired_state = desired;
    EXPECT_EQ(MakeService(agent)["spec"]["selector"], json::parse(R"({
      "agentroster.dev/agent-uid": "u-agent", "agentroster.dev/paused": "true"})"));
    EXPECT_NE(IntentHash(MakeService(agent)), IntentHash(MakeService(WorkloadAgent())));
  }
}

TEST(ManifestsTest, WhatIsSentIsWhatIsLookedFor) {
  const json deployment = Deployment(WorkloadAgent());
  EXPECT_EQ(api::ParseDeployment(deployment)->owned_hash, api::OwnedMetadataHash(deployment));
  EXPECT_EQ(api::ParseDeployment(deployment)->intent_hash, IntentHash(deployment));
  EXPECT_EQ(api::ParseDeployment(deployment)->controller.uid, "u-agent");
  const json service = MakeService(WorkloadAgent());
  EXPECT_EQ(api::ParseService(service)->owned_hash, api::OwnedServiceHash(service));
  EXPECT_EQ(PodSelector(WorkloadAgent()), "agentroster.dev/agent-uid=u-agent");
}

TEST(EndpointUrlTest, IsWhereTheAgentCanBeReached) {
  const struct {
    api::Endpoint endpoint;
    const char* url;
  } table[] = {
      {{"edge.example", 8443, "https"}, "https://edge.example:8443"},
      {{"edge.example", std::nullopt, "http"}, "http://edge.example"},
      {{"10.1.2.3", 80, "http"}, "http://10.1.2.3:80"},
      {{"2001:db8::1", 8443, "https"}, "https://[2001:db8::1]:8443"},
      {{"2001:db8::1", std::nullopt, "http"}, "http://[2001:db8::1]"},
      {{"::1", 1, "http"}, "http://[::1]:1"},
      {{"[2001:db8::1]", 1, "http"}, "http://[2001:db8::1]:1"},
      {{"", std::nullopt, "http"}, ""},
  };
  for (const auto& [endpoint, url] : table) {
    api::Agent agent = EndpointAgent();
    agent.spec.endpoint = endpoint;
    EXPECT_EQ(EndpointUrl(agent), url);
  }
}

TEST(EndpointUrlTest, OfAWorkloadIsItsService) {
  api::Agent agent = WorkloadAgent();
  EXPECT_EQ(EndpointUrl(agent), "http://researcher.lab.svc:8000");
  agent.spec.workload->port.reset();
  EXPECT_EQ(EndpointUrl(agent), "");
}

}  // namespace
}  // namespace roster::agents
