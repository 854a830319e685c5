// Objects as they are stored, and what is refused.
#include <gmock/gmock.h>

#include "conformance/api_conformance.h"

namespace roster::conformance {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::Not;
using ::testing::StartsWith;

const std::stop_token kNever;

TEST_F(ApiConformance, TheServerTellsItsVersion) {
  const auto version = client().ServerVersion(kNever);
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_THAT(*version, StartsWith("v1."));
}

TEST_F(ApiConformance, CreateReturnsTheAgentWithDefaults) {
  const json agent = Create(kube::kAgents, Agent("a"));
  EXPECT_FALSE(Uid(agent).empty());
  EXPECT_GT(Version(agent), 0U);
  EXPECT_EQ(Generation(agent), 1);
  EXPECT_TRUE(agent["metadata"].contains("creationTimestamp"));
  EXPECT_EQ(agent["metadata"]["namespace"], ns());
  EXPECT_EQ(agent["spec"]["desiredState"], "Running");
  EXPECT_EQ(agent["spec"]["replicas"], 1);
  EXPECT_EQ(agent["spec"]["resident"], false);
  EXPECT_EQ(agent["spec"]["heartbeat"], json({{"interval", "15s"}, {"timeout", "30s"}}));
  EXPECT_EQ(agent["status"], json({{"observedGeneration", -1}}));
  EXPECT_THAT(Managers(agent), ElementsAre("roster/Update"));
  EXPECT_EQ(Get(kube::kAgents, "a"), agent);
}

TEST_F(ApiConformance, AnEndpointGetsItsDefaultScheme) {
  json agent = Agent("a");
  agent["spec"].erase("workload");
  agent["spec"]["endpoint"] = {{"host", "agents.example"}};
  EXPECT_EQ(Create(kube::kAgents, agent)["spec"]["endpoint"]["scheme"], "http");
}

TEST_F(ApiConformance, CreateIgnoresStatus) {
  json agent = Agent("a");
  agent["status"] = {{"state", "Running"}};
  EXPECT_EQ(Create(kube::kAgents, agent)["status"], json({{"observedGeneration", -1}}));
}

TEST_F(ApiConformance, UnknownFieldsOfAnAgentAreDropped) {
  json agent = Agent("a");
  agent["spec"]["bogus"] = 1;
  EXPECT_FALSE(Create(kube::kAgents, agent)["spec"].contains("bogus"));
}

TEST_F(ApiConformance, CreateNeverOverwrites) {
  const json first = Create(kube::kAgents, Agent("a"));
  json other = Agent("a");
  other["spec"]["type"] = "other";
  const auto second = client().Create(kube::kAgents, ns(), other, kNever);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(second.error().message, "agents.agentroster.dev \"a\" already exists");
  EXPECT_EQ(Get(kube::kAgents, "a"), first);
}

TEST_F(ApiConformance, GenerateNameMakesAName) {
  json agent = Agent("a");
  agent["metadata"].erase("name");
  agent["metadata"]["generateName"] = "some-";
  const std::string name = Create(kube::kAgents, agent)["metadata"]["name"];
  EXPECT_THAT(name, StartsWith("some-"));
  EXPECT_GT(name.size(), 5U);
}

TEST_F(ApiConformance, WhatIsNotThereIsNotFound) {
  const auto agent = client().Get(kube::kAgents, Key("nobody"), kNever);
  ASSERT_FALSE(agent);
  EXPECT_EQ(agent.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(agent.error().message, "agents.agentroster.dev \"nobody\" not found");
  const auto service = client().Get(kube::kServices, Key("nothing"), kNever);
  ASSERT_FALSE(service);
  EXPECT_EQ(service.error().message, "services \"nothing\" not found");
  const auto patched = client().MergePatch(kube::kAgents, Key("nobody"), "status",
                                           {{"status", json::object()}}, kNever);
  ASSERT_FALSE(patched);
  EXPECT_EQ(patched.error().kind, ErrorKind::kNotFound);
}

TEST_F(ApiConformance, AnUnknownResourceIsNotFoundAndTheAnswerIsNoStatus) {
  const kube::Resource unknown{"agentroster.dev", "v1alpha1", "nonsense", "Nonsense"};
  const kube::Response response = Raw("GET", unknown.Path(ns()));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "404 page not found\n");
  const auto listed = client().List(unknown, {}, [](json&&) {}, kNever);
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().kind, ErrorKind::kNotFound);
}

TEST_F(ApiConformance, AnInvalidAgentIsRefusedWithEachCause) {
  json agent = Agent("a");
  agent["spec"]["replicas"] = -1;
  agent["spec"]["type"] = "t!";
  agent["spec"]["desiredState"] = "Asleep";
  const kube::Response response =
      Raw("POST", kube::kAgents.Path(ns()), "application/json", agent.dump());
  EXPECT_EQ(response.status, 422);
  const json status = BodyOf(response);
  EXPECT_EQ(status["kind"], "Status");
  EXPECT_EQ(status["status"], "Failure");
  EXPECT_EQ(status["reason"], "Invalid");
  EXPECT_EQ(status["code"], 422);
  EXPECT_EQ(status["details"]["name"], "a");
  EXPECT_EQ(status["details"]["kind"], "Agent");
  EXPECT_EQ(status["details"]["group"], "agentroster.dev");
  EXPECT_THAT(std::vector<std::string>({"spec.desiredState", "spec.replicas", "spec.type"}),
              IsSubsetOf(CauseFields(status)));

  const auto created = client().Create(kube::kAgents, ns(), agent, kNever);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(created.error().message, HasSubstr("Agent.agentroster.dev \"a\" is invalid: "));
  EXPECT_THAT(created.error().message, HasSubstr("spec.replicas: Invalid value: -1: spec.replicas "
                                                 "in body should be greater than or equal to 0"));
  EXPECT_THAT(created.error().message,
              HasSubstr("spec.type: Invalid value: \"t!\": spec.type in body should match '"));
  EXPECT_THAT(created.error().message,
              HasSubstr("spec.desiredState: Unsupported value: \"Asleep\": supported values: "
                        "\"Running\", \"Paused\", \"Stopped\""));
}

TEST_F(ApiConformance, AMissingFieldAndAWrongTypeAreNamed) {
  json agent = Agent("a");
  agent["spec"].erase("type");
  auto created = client().Create(kube::kAgents, ns(), agent, kNever);
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error().message, HasSubstr("spec.type: Required value"));

  agent = Agent("a");
  agent["spec"]["resident"] = "yes";
  created = client().Create(kube::kAgents, ns(), agent, kNever);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(created.error().message,
              HasSubstr("spec.resident: Invalid value: \"string\": spec.resident in body must "
                        "be of type boolean: \"string\""));
}

TEST_F(ApiConformance, AnInvalidDeploymentIsRefusedWithEachCause) {
  json deployment = Deployment("d");
  deployment["spec"]["replicas"] = -1;
  deployment["spec"]["template"]["metadata"]["labels"] = {{"other", "labels"}};
  deployment["spec"]["template"]["spec"]["containers"][0].erase("image");
  const json status =
      BodyOf(Raw("POST", kube::kDeployments.Path(ns()), "application/json", deployment.dump()));
  EXPECT_EQ(status["code"], 422);
  EXPECT_THAT(CauseFields(status), ElementsAre("spec.replicas", "spec.template.metadata.labels",
                                               "spec.template.spec.containers[0].image"));
  EXPECT_THAT(status["message"].get<std::string>(),
              HasSubstr("spec.replicas: Invalid value: -1: must be greater than or equal to 0"));
}

TEST_F(ApiConformance, AnObjectTooLargeIsRefused) {
  json agent = Agent("a");
  json& env = agent["spec"]["workload"]["env"];
  for (int i = 0; i < 60; ++i) {
    env.push_back({{"name", "E" + std::to_string(i)}, {"value", std::string(30'000, 'x')}});
  }
  // Too large for etcd.
  json status = BodyOf(Raw("POST", kube::kAgents.Path(ns()), "application/json", agent.dump()));
  EXPECT_EQ(status["code"], 500);
  EXPECT_EQ(status["message"], "etcdserver: request is too large");
  // Too large for the API server.
  for (json& entry : env) entry["value"] = std::string(60'000, 'x');
  status = BodyOf(Raw("POST", kube::kAgents.Path(ns()), "application/json", agent.dump()));
  EXPECT_EQ(status["code"], 413);
  EXPECT_EQ(status["reason"], "RequestEntityTooLarge");
}

TEST_F(ApiConformance, ABodyThatIsNoJsonOrOfAnotherNamespaceIsABadRequest) {
  json status = BodyOf(Raw("POST", kube::kAgents.Path(ns()), "application/json", "{nope"));
  EXPECT_EQ(status["code"], 400);
  EXPECT_EQ(status["reason"], "BadRequest");
  json agent = Agent("a");
  agent["metadata"]["namespace"] = "elsewhere";
  status = BodyOf(Raw("POST", kube::kAgents.Path(ns()), "application/json", agent.dump()));
  EXPECT_EQ(status["code"], 400);
  EXPECT_EQ(
      status["message"],
      "the namespace of the provided object does not match the namespace sent on the request");
}

TEST_F(ApiConformance, APatchOfAnUnknownMediaTypeIsRefused) {
  Create(kube::kAgents, Agent("a"));
  const json status = BodyOf(Raw("PATCH", kube::kAgents.Path(ns(), "a"), "application/json", "{}"));
  EXPECT_EQ(status["code"], 415);
}

TEST_F(ApiConformance, ADeploymentGetsTheServersDefaults) {
  const json deployment = Create(kube::kDeployments, Deployment("d"));
  EXPECT_EQ(Generation(deployment), 1);
  EXPECT_EQ(deployment["spec"]["strategy"]["type"], "RollingUpdate");
  EXPECT_EQ(deployment["spec"]["progressDeadlineSeconds"], 600);
  EXPECT_EQ(deployment["spec"]["template"]["spec"]["restartPolicy"], "Always");
  EXPECT_EQ(MainContainer(deployment)["ports"][0]["protocol"], "TCP");
  EXPECT_EQ(MainContainer(deployment)["imagePullPolicy"], "IfNotPresent");
  EXPECT_EQ(deployment["status"], json::object());
  EXPECT_THAT(Managers(deployment), ElementsAre("roster/Update"));
}

TEST_F(ApiConformance, AServiceHasNoGenerationAndGetsTheServersDefaults) {
  json service = Create(kube::kServices, Service("s"));
  EXPECT_FALSE(service["metadata"].contains("generation"));
  EXPECT_EQ(service["spec"]["type"], "ClusterIP");
  EXPECT_FALSE(service["spec"]["clusterIP"].get<std::string>().empty());
  EXPECT_EQ(service["spec"]["ports"][0]["protocol"], "TCP");
  service = PatchBy("hand", kube::kServices, "s", {{"spec", {{"selector", {{"more", "1"}}}}}});
  EXPECT_FALSE(service["metadata"].contains("generation"));
}

TEST_F(ApiConformance, AnEventOfTheNewApiIsStoredAndAnIncompleteOneRefused) {
  const json agent = Create(kube::kAgents, Agent("a"));
  const json event = {{"apiVersion", "events.k8s.io/v1"},
                      {"kind", "Event"},
                      {"metadata", {{"name", "a.1"}, {"namespace", ns()}}},
                      {"eventTime", "2026-01-02T03:04:05.000006Z"},
                      {"reportingController", "agentroster.dev/roster"},
                      {"reportingInstance", "roster-0"},
                      {"action", "Reconcile"},
                      {"reason", "Created"},
                      {"type", "Normal"},
                      {"note", "created the Deployment"},
                      {"regarding",
                       {{"apiVersion", "agentroster.dev/v1alpha1"},
                        {"kind", "Agent"},
                        {"name", "a"},
                        {"namespace", ns()},
                        {"uid", Uid(agent)}}}};
  EXPECT_EQ(Create(kube::kEvents, event)["note"], "created the Deployment");
  json incomplete = event;
  incomplete["metadata"]["name"] = "a.2";
  incomplete.erase("eventTime");
  const auto refused = client().Create(kube::kEvents, ns(), incomplete, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("eventTime"));
}

}  // namespace
}  // namespace roster::conformance
