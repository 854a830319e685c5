// Server-side apply, and the traps around it that Roster steps over.
#include <gmock/gmock.h>

#include "conformance/api_conformance.h"

namespace roster::conformance {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const std::stop_token kNever;

class ApplyConformance : public ApiConformance {
 protected:
  // The Deployment without what an Agent's edit may take out of it.
  json Less(const std::string& name) const {
    json deployment = Deployment(name);
    deployment["metadata"]["labels"].erase("extra");
    deployment["metadata"]["annotations"].erase("extra");
    json& container = deployment["spec"]["template"]["spec"]["containers"][0];
    container["args"] = {"--first"};
    container["env"].erase(1);
    container["ports"].erase(1);
    return deployment;
  }
  // As Roster begins: POST, later the entry's conversion.
  void CreateAndTurn(const json& deployment) {
    Create(kube::kDeployments, deployment);
    TurnIntoApply(kube::kDeployments, deployment["metadata"]["name"]);
  }
  Error Refused(const json& object) {
    const auto applied =
        client().Apply(kube::kDeployments, Key(object["metadata"]["name"]), object, kNever);
    if (!applied) return applied.error();
    ADD_FAILURE() << "applied: " << applied->dump();
    return {};
  }
  bool Exists(const std::string& name) {
    return client().Get(kube::kDeployments, Key(name), kNever).ok();
  }
};

TEST_F(ApplyConformance, ApplyCreatesAndOwnsWhatItNames) {
  const json created = Apply(kube::kDeployments, Deployment("d"));
  EXPECT_THAT(Managers(created), ElementsAre("roster/Apply"));
  const json fields = created["metadata"]["managedFields"][0]["fieldsV1"];
  EXPECT_THAT(KeysOf(fields["f:spec"]), ElementsAre("f:replicas", "f:selector", "f:template"));
  const json& container =
      fields["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"agent\"}"];
  EXPECT_THAT(KeysOf(container),
              ElementsAre(".", "f:args", "f:env", "f:image", "f:name", "f:ports"));
  EXPECT_THAT(KeysOf(container["f:env"]), ElementsAre("k:{\"name\":\"A\"}", "k:{\"name\":\"B\"}"));
  EXPECT_THAT(KeysOf(container["f:ports"]),
              ElementsAre("k:{\"containerPort\":8000,\"protocol\":\"TCP\"}",
                          "k:{\"containerPort\":8001,\"protocol\":\"TCP\"}"));
}

TEST_F(ApplyConformance, AnApplyThatChangesNothingKeepsTheVersion) {
  CreateAndTurn(Deployment("d"));
  Apply(kube::kDeployments, Deployment("d"));
  // The Deployment controller writes its status some time.
  ASSERT_TRUE(Eventually([&] {
    const uint64_t version = Version(Get(kube::kDeployments, "d"));
    return Version(Apply(kube::kDeployments, Deployment("d"))) == version;
  }));
  EXPECT_EQ(Generation(Get(kube::kDeployments, "d")), 1);
}

TEST_F(ApplyConformance, TheFirstPostsFieldsOutliveAnApplyThatLeavesThemOut) {
  Create(kube::kDeployments, Deployment("d"));
  const json applied = Apply(kube::kDeployments, Less("d"));
  EXPECT_THAT(Managers(applied), Contains("roster/Update"));
  EXPECT_THAT(EnvNames(applied), ElementsAre("A", "B"));
  EXPECT_TRUE(applied["metadata"]["labels"].contains("extra"));
  EXPECT_EQ(MainContainer(applied)["ports"].size(), 2U);
  // A list that is one value is replaced all the same.
  EXPECT_EQ(MainContainer(applied)["args"], json({"--first"}));
}

TEST_F(ApplyConformance, OnceTheEntryIsTurnedAnApplyRemovesWhatItLeavesOut) {
  Create(kube::kDeployments, Deployment("d"));
  const json turned = TurnIntoApply(kube::kDeployments, "d");
  EXPECT_THAT(Managers(turned), Contains("roster/Apply"));
  EXPECT_THAT(Managers(turned), Not(Contains("roster/Update")));
  EXPECT_EQ(Generation(turned), 1);

  const json applied = Apply(kube::kDeployments, Less("d"));
  EXPECT_EQ(Generation(applied), 2);
  EXPECT_THAT(EnvNames(applied), ElementsAre("A"));
  EXPECT_EQ(MainContainer(applied)["args"], json({"--first"}));
  ASSERT_EQ(MainContainer(applied)["ports"].size(), 1U);
  EXPECT_EQ(MainContainer(applied)["ports"][0]["containerPort"], 8000);
  EXPECT_FALSE(applied["metadata"]["labels"].contains("extra"));
  EXPECT_FALSE(applied["metadata"]["annotations"].contains("extra"));
  // What the server had filled in is there as before.
  EXPECT_EQ(applied["spec"]["strategy"]["type"], "RollingUpdate");
  EXPECT_EQ(MainContainer(applied)["imagePullPolicy"], "IfNotPresent");
}

TEST_F(ApplyConformance, AListLeftOutAltogetherGoes) {
  CreateAndTurn(Deployment("d"));
  Apply(kube::kDeployments, Deployment("d"));
  json less = Deployment("d");
  json& container = less["spec"]["template"]["spec"]["containers"][0];
  container.erase("args");
  container.erase("env");
  container.erase("ports");
  less["metadata"].erase("annotations");
  const json applied = Apply(kube::kDeployments, less);
  EXPECT_FALSE(MainContainer(applied).contains("args"));
  EXPECT_FALSE(MainContainer(applied).contains("env"));
  EXPECT_FALSE(MainContainer(applied).contains("ports"));
  EXPECT_FALSE(applied["metadata"].value("annotations", json::object()).contains("extra"));
}

TEST_F(ApplyConformance, AContainerAndAVolumeComeAndGoByName) {
  CreateAndTurn(Deployment("d"));
  json more = Deployment("d");
  json& pod = more["spec"]["template"]["spec"];
  pod["containers"].push_back({{"name", "helper"}, {"image", "registry.example/helper:1"}});
  pod["volumes"] = {{{"name", "scratch"}, {"emptyDir", json::object()}}};
  json applied = Apply(kube::kDeployments, more);
  EXPECT_EQ(applied["spec"]["template"]["spec"]["containers"].size(), 2U);
  EXPECT_EQ(applied["spec"]["template"]["spec"]["volumes"].size(), 1U);
  applied = Apply(kube::kDeployments, Deployment("d"));
  ASSERT_EQ(applied["spec"]["template"]["spec"]["containers"].size(), 1U);
  EXPECT_EQ(MainContainer(applied)["name"], "agent");
  EXPECT_FALSE(applied["spec"]["template"]["spec"].contains("volumes"));
}

TEST_F(ApplyConformance, AnApplyTakesBackWhatAnotherChangedAndLeavesWhatHeAdded) {
  CreateAndTurn(Deployment("d"));
  Apply(kube::kDeployments, Deployment("d"));
  PatchBy("hand", kube::kDeployments, "d",
          {{"metadata", {{"labels", {{"extra", "changed"}, {"foreign", "1"}}}}},
           {"spec", {{"replicas", 3}}}});
  const json applied = Apply(kube::kDeployments, Deployment("d"));
  EXPECT_EQ(applied["spec"]["replicas"], 0);
  EXPECT_EQ(applied["metadata"]["labels"]["extra"], "1");
  EXPECT_EQ(applied["metadata"]["labels"]["foreign"], "1");
}

TEST_F(ApplyConformance, WithoutForceAnApplyThatWouldTakeFieldsIsAConflict) {
  CreateAndTurn(Deployment("d"));
  json other = Less("d");
  other["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/other:1";
  const json status =
      BodyOf(Raw("PATCH", kube::kDeployments.Path(ns(), "d") + "?fieldManager=other",
                 "application/apply-patch+yaml", other.dump()));
  EXPECT_EQ(status["code"], 409);
  EXPECT_EQ(status["reason"], "Conflict");
  EXPECT_THAT(CauseFields(status),
              ElementsAre(".spec.template.spec.containers[name=\"agent\"].args",
                          ".spec.template.spec.containers[name=\"agent\"].image"));
  EXPECT_THAT(status["message"].get<std::string>(),
              HasSubstr("Apply failed with 2 conflicts: conflicts with \"roster\""));
}

TEST_F(ApplyConformance, AnApplyWithTheUidOfADeletedObjectIsRefusedAndCreatesNothing) {
  const json created = Create(kube::kDeployments, Deployment("d"));
  Delete(kube::kDeployments, "d");
  json intent = Deployment("d");
  intent["metadata"]["uid"] = created["metadata"]["uid"];
  intent["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"];
  const Error error = Refused(intent);
  EXPECT_EQ(error.kind, ErrorKind::kConflict);
  EXPECT_THAT(error.message, HasSubstr("uid mismatch: the provided object specified uid " +
                                       Uid(created) + ", and no existing object was found"));
  EXPECT_FALSE(Exists("d"));
}

TEST_F(ApplyConformance, WithoutTheUidAnApplyCreatesADeletedObjectAnewWhateverItsVersion) {
  const json created = Create(kube::kDeployments, Deployment("d"));
  Delete(kube::kDeployments, "d");
  json intent = Deployment("d");
  intent["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"];
  EXPECT_NE(Uid(Apply(kube::kDeployments, intent)), Uid(created));
}

TEST_F(ApplyConformance, AnApplyWithAForeignUidIsAConflictAndChangesNothing) {
  Create(kube::kDeployments, Deployment("d"));
  json intent = Less("d");
  intent["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000";
  const Error error = Refused(intent);
  EXPECT_EQ(error.kind, ErrorKind::kConflict);
  EXPECT_THAT(error.message, HasSubstr("metadata.uid"));
  EXPECT_EQ(MainContainer(Get(kube::kDeployments, "d"))["args"].size(), 2U);
}

TEST_F(ApplyConformance, AnApplyWithAStaleVersionIsAConflict) {
  json intent = Less("d");
  intent["metadata"]["resourceVersion"] =
      Create(kube::kDeployments, Deployment("d"))["metadata"]["resourceVersion"];
  PatchBy("hand", kube::kDeployments, "d", {{"spec", {{"replicas", 3}}}});
  const Error error = Refused(intent);
  EXPECT_EQ(error.kind, ErrorKind::kConflict);
  EXPECT_THAT(error.message, HasSubstr("the object has been modified"));
}

TEST_F(ApplyConformance, AStrategyCanChangeToRecreateOnlyIfTheRollingUpdateWasOurs) {
  json intent = Deployment("defaulted");
  Apply(kube::kDeployments, intent);
  intent["spec"]["strategy"] = {{"type", "Recreate"}};
  Error error = Refused(intent);
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(
      error.message,
      HasSubstr("spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` "
                "is 'Recreate'"));
  // To say null is to say nothing.
  intent["spec"]["strategy"]["rollingUpdate"] = nullptr;
  EXPECT_EQ(Refused(intent).kind, ErrorKind::kInvalid);

  intent = Deployment("stated");
  intent["spec"]["strategy"] = {
      {"type", "RollingUpdate"},
      {"rollingUpdate", {{"maxSurge", "25%"}, {"maxUnavailable", "25%"}}}};
  Apply(kube::kDeployments, intent);
  intent["spec"]["strategy"] = {{"type", "Recreate"}};
  EXPECT_EQ(Apply(kube::kDeployments, intent)["spec"]["strategy"], json({{"type", "Recreate"}}));
}

TEST_F(ApplyConformance, AnApplyOfAServiceReplacesItsSelectorAndKeepsItsAddress) {
  const json created = Create(kube::kServices, Service("s"));
  TurnIntoApply(kube::kServices, "s");
  json intent = Service("s");
  intent["spec"]["selector"]["agentroster.dev/paused"] = "true";
  json applied = Apply(kube::kServices, intent);
  EXPECT_EQ(applied["spec"]["selector"].size(), 2U);
  PatchBy("hand", kube::kServices, "s", {{"spec", {{"selector", {{"foreign", "1"}}}}}});
  applied = Apply(kube::kServices, Service("s"));
  EXPECT_EQ(applied["spec"]["selector"], json({{"app.kubernetes.io/name", "s"}}));
  EXPECT_EQ(applied["spec"]["clusterIP"], created["spec"]["clusterIP"]);
  EXPECT_EQ(applied["spec"]["ports"][0]["protocol"], "TCP");
}

TEST_F(ApplyConformance, AnApplyOfAnAgentRemovesAnEnvironmentVariable) {
  json agent = Agent("a");
  agent["spec"]["workload"]["env"] = {{{"name", "A"}, {"value", "1"}},
                                      {{"name", "B"}, {"value", "2"}}};
  Apply(kube::kAgents, agent);
  agent["spec"]["workload"]["env"].erase(1);
  const json applied = Apply(kube::kAgents, agent);
  EXPECT_EQ(applied["spec"]["workload"]["env"], json::array({{{"name", "A"}, {"value", "1"}}}));
  EXPECT_EQ(Generation(applied), 2);
}

TEST_F(ApplyConformance, AnApplyMustNameItsManagerItsKindAndItsObject) {
  const auto apply = [&](const std::string& query, const json& object) {
    return BodyOf(Raw("PATCH", kube::kDeployments.Path(ns(), "d") + query,
                      "application/apply-patch+yaml", object.dump()));
  };
  EXPECT_EQ(apply("?force=true", Deployment("d"))["code"], 422);
  EXPECT_EQ(apply("?fieldManager=roster", Deployment("other"))["code"], 400);
  json object = Deployment("d");
  object.erase("kind");
  EXPECT_EQ(apply("?fieldManager=roster", object)["code"], 400);
  object = Deployment("d");
  object["metadata"]["managedFields"] = json::array();
  EXPECT_EQ(apply("?fieldManager=roster", object)["code"], 400);
  EXPECT_FALSE(Exists("d"));
}

}  // namespace
}  // namespace roster::conformance
