#include "agents/pod_template.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/json.h"
#include "unit/agents/scene.h"

namespace roster::agents {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

// The Agent whose spec.workload is image i:1 and `rest`.
api::Agent AgentWith(const std::string& rest, std::optional<int32_t> port = std::nullopt) {
  api::Agent agent = test::WorkloadAgent();
  agent.spec.workload->port = port;
  agent.spec.workload->rest = rest;
  return agent;
}

json Make(const std::string& rest, std::optional<int32_t> port = std::nullopt) {
  const auto made = MakePodTemplate(AgentWith(rest, port), Settings());
  EXPECT_TRUE(made.ok()) << made.error().message;
  return made.ok() ? *made : json();
}

json Spec(const std::string& rest, std::optional<int32_t> port = std::nullopt) {
  return Make(rest, port).at("spec");
}

TEST(PodTemplateTest, TheShortestManifestMakesOneContainer) {
  EXPECT_EQ(Make("", 8000), json::parse(R"({
    "metadata": {"labels": {
      "agentroster.dev/agent-uid": "u-agent", "agentroster.dev/type": "research",
      "app.kubernetes.io/managed-by": "roster", "app.kubernetes.io/name": "researcher"}},
    "spec": {"containers": [{"name": "agent", "image": "i:1",
                             "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]}]}})"));
}

TEST(PodTemplateTest, ShortFieldsGoIntoTheMainContainerAndThePod) {
  EXPECT_EQ(Spec(R"({
    "command": ["/bin/agent"], "args": ["--x"], "env": [{"name": "A", "value": "1"}],
    "envFrom": [{"secretRef": {"name": "s"}}], "resources": {"limits": {"cpu": "1"}},
    "serviceAccountName": "robot", "imagePullSecrets": [{"name": "pull"}]})"),
            json::parse(R"({
    "containers": [{"name": "agent", "image": "i:1", "command": ["/bin/agent"], "args": ["--x"],
                    "env": [{"name": "A", "value": "1"}], "envFrom": [{"secretRef": {"name": "s"}}],
                    "resources": {"limits": {"cpu": "1"}}}],
    "serviceAccountName": "robot", "imagePullSecrets": [{"name": "pull"}]})"));
}

// What is merged how: Actual is what came out of the template and the short fields together.
TEST(PodTemplateTest, Merges) {
  const struct {
    const char* name;
    const char* rest;
    std::optional<int32_t> port;
    const char* spec;
  } table[] = {
      {"the main container is added in front of others",
       R"({"podTemplate": {"spec": {"containers": [{"name": "helper", "image": "h"}]}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1"}, {"name": "helper", "image": "h"}]})"},
      {"a main container that the template names stays where it is",
       R"({"podTemplate": {"spec": {"containers": [{"name": "helper", "image": "h"},
           {"name": "agent", "tty": true}]}}})",
       {},
       R"({"containers": [{"name": "helper", "image": "h"},
                          {"name": "agent", "image": "i:1", "tty": true}]})"},
      {"short fields win over the template's",
       R"({"command": ["c"], "args": ["a"], "resources": {"limits": {"cpu": "2"}},
           "podTemplate": {"spec": {"containers": [{"name": "agent", "image": "other",
             "command": ["old", "x"], "args": ["old", "y"],
             "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}]}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1", "command": ["c"], "args": ["a"],
                           "resources": {"limits": {"cpu": "2"}}}]})"},
      {"what no short field says is the template's",
       R"({"podTemplate": {"spec": {"containers": [{"name": "agent", "command": ["old"],
             "livenessProbe": {"httpGet": {"port": 8000}}}], "nodeSelector": {"a": "b"}}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1", "command": ["old"],
                           "livenessProbe": {"httpGet": {"port": 8000}}}], "nodeSelector": {"a": "b"}})"},
      {"env merges by name: the short entry wins, others stay, new ones come last",
       R"({"env": [{"name": "B", "value": "short"}, {"name": "C", "value": "3"}],
           "podTemplate": {"spec": {"containers": [{"name": "agent", "env": [
             {"name": "A", "value": "1"}, {"name": "B", "value": "template"}]}]}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1", "env": [
             {"name": "A", "value": "1"}, {"name": "B", "value": "short"},
             {"name": "C", "value": "3"}]}]})"},
      {"valueFrom replaces value whole",
       R"({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
           "podTemplate": {"spec": {"containers": [{"name": "agent", "env": [
             {"name": "A", "value": "plain"}]}]}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1", "env": [
             {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]})"},
      {"value replaces valueFrom whole",
       R"({"env": [{"name": "A", "value": "plain"}],
           "podTemplate": {"spec": {"containers": [{"name": "agent", "env": [
             {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1", "env": [{"name": "A", "value": "plain"}]}]})"},
      {"other lists replace",
       R"({"envFrom": [{"secretRef": {"name": "new"}}], "imagePullSecrets": [{"name": "new"}],
           "serviceAccountName": "new",
           "podTemplate": {"spec": {"imagePullSecrets": [{"name": "old"}], "serviceAccountName": "old",
             "containers": [{"name": "agent", "envFrom": [{"secretRef": {"name": "old"}}]}]}}})",
       {},
       R"({"imagePullSecrets": [{"name": "new"}], "serviceAccountName": "new",
           "containers": [{"name": "agent", "image": "i:1", "envFrom": [{"secretRef": {"name": "new"}}]}]})"},
      {"volumes and init containers are the template's",
       R"({"podTemplate": {"spec": {"volumes": [{"name": "v", "emptyDir": {}}],
             "initContainers": [{"name": "setup", "image": "s"}],
             "containers": [{"name": "agent", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}}})",
       {},
       R"({"volumes": [{"name": "v", "emptyDir": {}}], "initContainers": [{"name": "setup", "image": "s"}],
           "containers": [{"name": "agent", "image": "i:1",
                           "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]})"},
      {"the port is added to others",
       R"({"podTemplate": {"spec": {"containers": [{"name": "agent",
             "ports": [{"name": "debug", "containerPort": 9}]}]}}})",
       8000,
       R"({"containers": [{"name": "agent", "image": "i:1", "ports": [
             {"name": "debug", "containerPort": 9},
             {"name": "http", "containerPort": 8000, "protocol": "TCP"}]}]})"},
      {"a port that is there already is not added again",
       R"({"podTemplate": {"spec": {"containers": [{"name": "agent",
             "ports": [{"name": "web", "containerPort": 8000}]}]}}})",
       8000,
       R"({"containers": [{"name": "agent", "image": "i:1",
                           "ports": [{"name": "web", "containerPort": 8000}]}]})"},
      {"the same number under UDP is another port",
       R"({"podTemplate": {"spec": {"containers": [{"name": "agent",
             "ports": [{"name": "http", "containerPort": 8000, "protocol": "UDP"}]}]}}})",
       8000,
       R"({"containers": [{"name": "agent", "image": "i:1", "ports": [
             {"name": "http", "containerPort": 8000, "protocol": "UDP"},
             {"containerPort": 8000, "protocol": "TCP"}]}]})"},
      {"nulls are as good as absent",
       R"({"env": null, "podTemplate": {"metadata": null, "spec": {"containers": [
             {"name": "agent", "env": null, "ports": null}], "volumes": null}}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1", "env": null, "ports": null}], "volumes": null})"},
      {"an empty template is none",
       R"({"podTemplate": {}})",
       {},
       R"({"containers": [{"name": "agent", "image": "i:1"}]})"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Spec(row.rest, row.port), json::parse(row.spec));
  }
}

TEST(PodTemplateTest, RostersLabelsWinAndTheUsersStay) {
  const json metadata = Make(R"({"podTemplate": {"metadata": {
    "labels": {"agentroster.dev/agent-uid": "forged", "app.kubernetes.io/managed-by": "helm",
               "agentroster.dev/type": "forged", "app.kubernetes.io/name": "forged", "team": "search"},
    "annotations": {"prometheus.io/scrape": "true"}}}})")["metadata"];
  EXPECT_EQ(metadata, json::parse(R"({
    "labels": {"agentroster.dev/agent-uid": "u-agent", "agentroster.dev/type": "research",
               "app.kubernetes.io/managed-by": "roster", "app.kubernetes.io/name": "researcher",
               "team": "search"},
    "annotations": {"prometheus.io/scrape": "true"}})"));
}

TEST(PodTemplateTest, NoPodCarriesTheLabelOfAPausedService) {
  const json made =
      Make(R"({"podTemplate": {"metadata": {"labels": {"agentroster.dev/paused": "true"}}}})");
  EXPECT_FALSE(made["metadata"]["labels"].contains("agentroster.dev/paused"));
}

TEST(PodTemplateTest, ARestartIsAnAnnotation) {
  api::Agent agent = AgentWith(R"({"podTemplate": {"metadata": {"annotations": {"a": "b"}}}})");
  agent.spec.restarted_at = "2026-01-02T03:04:05Z";
  EXPECT_EQ((*MakePodTemplate(agent, Settings()))["metadata"]["annotations"],
            json::parse(R"({"a": "b", "agentroster.dev/restarted-at": "2026-01-02T03:04:05Z"})"));
}

TEST(PodTemplateTest, TakesExactlyAsMuchAsIsAllowed) {
  const auto with_size = [](size_t size) {
    const std::string frame = R"({"metadata":{"annotations":{"a":""}}})";
    return fmt::format(R"({{"podTemplate":{{"metadata":{{"annotations":{{"a":"{}"}}}}}}}})",
                       std::string(size - frame.size(), 'x'));
  };
  EXPECT_TRUE(MakePodTemplate(AgentWith(with_size(32768)), Settings()).ok());
  const auto refused = MakePodTemplate(AgentWith(with_size(32769)), Settings());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("spec.workload.podTemplate"),
                                             HasSubstr("32769 bytes"), HasSubstr("32768 bytes")));
}

TEST(PodTemplateTest, RefusesWrongShapesWithFieldValueAndWhatIsAllowed) {
  const struct {
    const char* pod_template;
    const char* field;
    const char* value;
    const char* allowed;
  } table[] = {
      {R"("text")", "podTemplate:", "\"string\"", "must be an object"},
      {R"([])", "podTemplate:", "\"array\"", "must be an object"},
      {R"({"kind": "Pod"})", "podTemplate.kind:", "\"kind\"", "only metadata and spec"},
      {R"({"spec": "x"})", "podTemplate.spec:", "\"string\"", "must be an object"},
      {R"({"metadata": []})", "podTemplate.metadata:", "\"array\"", "must be an object"},
      {R"({"metadata": {"name": "x"}})", "podTemplate.metadata.name:", "\"name\"",
       "only labels and annotations"},
      {R"({"metadata": {"labels": ["x"]}})", "podTemplate.metadata.labels:", "\"array\"",
       "must be an object"},
      {R"({"spec": {"containers": {}}})", "podTemplate.spec.containers:", "\"object\"",
       "must be a list"},
      {R"({"spec": {"containers": ["agent"]}})", "podTemplate.spec.containers:", "\"string\"",
       "must be a list of objects"},
      {R"({"spec": {"containers": [{"image": "x"}]}})", "podTemplate.spec.containers:", "(no name)",
       "needs a name"},
      {R"({"spec": {"containers": [{"name": 5}]}})", "podTemplate.spec.containers:", "(no name)",
       "needs a name"},
      {R"({"spec": {"initContainers": [{}]}})", "podTemplate.spec.initContainers:", "(no name)",
       "needs a name"},
      {R"({"spec": {"volumes": "v"}})", "podTemplate.spec.volumes:", "\"string\"",
       "must be a list"},
      {R"({"spec": {"containers": [{"name": "helper", "env": {"A": "1"}}]}})",
       "podTemplate.spec.containers[helper].env:", "\"object\"", "must be a list"},
      {R"({"spec": {"containers": [{"name": "agent", "env": [{"value": "1"}]}]}})",
       "podTemplate.spec.containers[agent].env:", "(no name)", "needs a name"},
      {R"({"spec": {"containers": [{"name": "agent", "ports": 8000}]}})",
       "podTemplate.spec.containers[agent].ports:", "\"number\"", "must be a list"},
      {R"({"spec": {"containers": [{"name": "agent", "ports": [8000]}]}})",
       "podTemplate.spec.containers[agent].ports:", "\"number\"", "must be a list of objects"},
      {R"({"spec": {"containers": [{"name": "agent", "ports": [{"containerPort": "8000"}]}]}})",
       "podTemplate.spec.containers:", "(wrong type)", "must be number"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.pod_template);
    const auto made = MakePodTemplate(
        AgentWith(fmt::format(R"({{"podTemplate": {}}})", row.pod_template), 8000), Settings());
    ASSERT_FALSE(made.ok()) << made->dump();
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().message, HasSubstr(std::string("spec.workload.") + row.field));
    EXPECT_THAT(made.error().message, HasSubstr(row.value));
    EXPECT_THAT(made.error().message, HasSubstr(row.allowed));
  }
}

TEST(PodTemplateTest, TheSameSpecMakesTheSameText) {
  const std::string rest = R"({"env": [{"name": "A", "value": "1"}], "args": ["x"]})";
  EXPECT_EQ(api::DumpJson(Make(rest, 1)), api::DumpJson(Make(rest, 1)));
}

}  // namespace
}  // namespace roster::agents
