// Merge patches, JSON patches, PUT, and the status subresource.
#include <gmock/gmock.h>

#include "conformance/api_conformance.h"

namespace roster::conformance {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::stop_token kNever;

TEST_F(ApiConformance, AStatusPatchWithAStaleVersionIsAConflictAndChangesNothing) {
  const json old = Create(kube::kAgents, Agent("a"));
  const json current =
      PatchBy("hand", kube::kAgents, "a", {{"metadata", {{"labels", {{"x", "1"}}}}}});
  const json patch = {{"metadata", {{"resourceVersion", old["metadata"]["resourceVersion"]}}},
                      {"status", {{"state", "Running"}}}};
  const auto refused = client().MergePatch(kube::kAgents, Key("a"), "status", patch, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(refused.error().message,
            "Operation cannot be fulfilled on agents.agentroster.dev \"a\": the object has been "
            "modified; please apply "
            "your changes to the latest version and try again");
  EXPECT_EQ(Get(kube::kAgents, "a"), current);
}

TEST_F(ApiConformance, AStatusPatchWritesStatusAloneAndLeavesTheGeneration) {
  const json created = Create(kube::kAgents, Agent("a"));
  const json patched = MergePatch(kube::kAgents, "a", "status",
                                  {{"metadata",
                                    {{"resourceVersion", created["metadata"]["resourceVersion"]},
                                     {"labels", {{"not", "written"}}}}},
                                   {"spec", {{"replicas", 5}}},
                                   {"status", {{"observedGeneration", 1}, {"state", "Running"}}}});
  EXPECT_GT(Version(patched), Version(created));
  EXPECT_EQ(Generation(patched), 1);
  EXPECT_EQ(patched["spec"], created["spec"]);
  EXPECT_FALSE(patched["metadata"].contains("labels"));
  EXPECT_EQ(patched["status"], json({{"observedGeneration", 1}, {"state", "Running"}}));
  EXPECT_THAT(Managers(patched), ElementsAre("roster/Update", "roster/Update/status"));
}

TEST_F(ApiConformance, AStatusPatchReplacesArraysWholeAndRemovesWithNull) {
  Create(kube::kAgents, Agent("a"));
  const auto condition = [](const char* type) {
    return json{{"type", type},
                {"status", "True"},
                {"reason", "Because"},
                {"message", ""},
                {"lastTransitionTime", "2026-01-02T03:04:05Z"}};
  };
  MergePatch(
      kube::kAgents, "a", "status",
      {{"status",
        {{"endpoint", "http://a"}, {"conditions", {condition("Ready"), condition("Accepted")}}}}});
  const json patched =
      MergePatch(kube::kAgents, "a", "status",
                 {{"status", {{"endpoint", nullptr}, {"conditions", {condition("Accepted")}}}}});
  EXPECT_FALSE(patched["status"].contains("endpoint"));
  ASSERT_EQ(patched["status"]["conditions"].size(), 1U);
  EXPECT_EQ(patched["status"]["conditions"][0]["type"], "Accepted");
}

TEST_F(ApiConformance, AStatusThatTheSchemaForbidsIsRefused) {
  Create(kube::kAgents, Agent("a"));
  const auto refused = client().MergePatch(kube::kAgents, Key("a"), "status",
                                           {{"status", {{"state", "Asleep"}}}}, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("status.state: Unsupported value: \"Asleep\""));
}

TEST_F(ApiConformance, AStatusPatchDoesNotLookAtTheUid) {
  Create(kube::kAgents, Agent("a"));
  const json patched =
      MergePatch(kube::kAgents, "a", "status",
                 {{"metadata", {{"uid", "another"}}}, {"status", {{"state", "Running"}}}});
  EXPECT_EQ(patched["status"]["state"], "Running");
}

TEST_F(ApiConformance, APatchOfTheSpecBumpsTheGenerationAndIgnoresStatus) {
  Create(kube::kAgents, Agent("a"));
  const json patched = MergePatch(
      kube::kAgents, "a", "", {{"spec", {{"replicas", 5}}}, {"status", {{"state", "Running"}}}});
  EXPECT_EQ(Generation(patched), 2);
  EXPECT_EQ(patched["status"], json({{"observedGeneration", -1}}));
  EXPECT_EQ(
      Generation(PatchBy("hand", kube::kAgents, "a", {{"metadata", {{"labels", {{"x", "1"}}}}}})),
      2);
  EXPECT_EQ(Generation(PatchBy("hand", kube::kAgents, "a",
                               {{"metadata", {{"annotations", {{"x", "1"}}}}}})),
            2);
}

TEST_F(ApiConformance, APatchThatChangesNothingKeepsTheVersion) {
  const json created = Create(kube::kAgents, Agent("a"));
  const json nothing = {{"spec", {{"replicas", 1}}}};
  // The default status of a new Agent is not in storage before its first write.
  const json first = MergePatch(kube::kAgents, "a", "", nothing);
  EXPECT_GT(Version(first), Version(created));
  EXPECT_EQ(Generation(first), 1);
  EXPECT_EQ(MergePatch(kube::kAgents, "a", "", nothing), first);
  const json same_status = {{"status", {{"observedGeneration", -1}}}};
  EXPECT_EQ(MergePatch(kube::kAgents, "a", "status", same_status), first);
}

TEST_F(ApiConformance, APatchWithAForeignUidIsAConflict) {
  const json created = Create(kube::kAgents, Agent("a"));
  const auto refused =
      client().MergePatch(kube::kAgents, Key("a"), "",
                          {{"metadata", {{"uid", "another"}, {"labels", {{"x", "1"}}}}}}, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(refused.error().message,
              HasSubstr("metadata.uid: Invalid value: \"another\": field is immutable"));
  EXPECT_EQ(Get(kube::kAgents, "a"), created);
}

TEST_F(ApiConformance, OfADeploymentAnnotationsBumpTheGenerationAndLabelsDoNot) {
  Create(kube::kDeployments, Deployment("d"));
  EXPECT_EQ(Generation(PatchBy("hand", kube::kDeployments, "d",
                               {{"metadata", {{"labels", {{"x", "1"}}}}}})),
            1);
  EXPECT_EQ(Generation(PatchBy("hand", kube::kDeployments, "d",
                               {{"metadata", {{"annotations", {{"x", "1"}}}}}})),
            2);
}

TEST_F(ApiConformance, TheSelectorOfADeploymentIsImmutable) {
  Create(kube::kDeployments, Deployment("d"));
  const json patch = {{"spec",
                       {{"selector", {{"matchLabels", {{"x", "1"}}}}},
                        {"template", {{"metadata", {{"labels", {{"x", "1"}}}}}}}}}};
  const auto refused = client().MergePatch(kube::kDeployments, Key("d"), "", patch, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("spec.selector: Invalid value: "));
  EXPECT_THAT(refused.error().message, HasSubstr("field is immutable"));
}

TEST_F(ApiConformance, TheDeploymentControllerReportsWhatItObserved) {
  Create(kube::kDeployments, Deployment("d"));
  ASSERT_TRUE(Eventually(
      [&] { return Get(kube::kDeployments, "d")["status"].value("observedGeneration", 0) == 1; }));
  ASSERT_TRUE(Eventually([&] {
    for (const json& condition :
         Get(kube::kDeployments, "d")["status"].value("conditions", json::array())) {
      if (condition["type"] == "Progressing" && condition["reason"] == "NewReplicaSetAvailable")
        return true;
    }
    return false;
  }));
  const json deployment = Get(kube::kDeployments, "d");
  EXPECT_EQ(Generation(deployment), 1);
  EXPECT_FALSE(deployment["status"].contains("replicas"));
  EXPECT_THAT(Managers(deployment),
              ElementsAre("kube-controller-manager/Update/status", "roster/Update"));
}

TEST_F(ApiConformance, AReplaceWithTheCurrentVersionIsTakenOnceOnly) {
  json agent = Create(kube::kAgents, Agent("a"));
  agent["spec"]["replicas"] = 2;
  const auto first = client().Replace(kube::kAgents, Key("a"), agent, kNever);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ((*first)["spec"]["replicas"], 2);
  agent["spec"]["replicas"] = 3;
  const auto second = client().Replace(kube::kAgents, Key("a"), agent, kNever);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
}

TEST_F(ApiConformance, AReplaceNeedsAVersionTheRightUidAndTheObject) {
  const json created = Create(kube::kAgents, Agent("a"));
  json agent = created;
  agent["metadata"].erase("resourceVersion");
  auto refused = client().Replace(kube::kAgents, Key("a"), agent, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(
      refused.error().message,
      HasSubstr("metadata.resourceVersion: Invalid value: 0: must be specified for an update"));
  agent = created;
  agent["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000";
  refused = client().Replace(kube::kAgents, Key("a"), agent, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  refused = client().Replace(kube::kAgents, Key("nobody"), Agent("nobody"), kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kNotFound);
}

TEST_F(ApiConformance, ALeaseIsReplacedByOneOfTwo) {
  const json lease = {{"apiVersion", "coordination.k8s.io/v1"},
                      {"kind", "Lease"},
                      {"metadata", {{"name", "roster"}, {"namespace", ns()}}},
                      {"spec", {{"holderIdentity", "one"}, {"leaseDurationSeconds", 15}}}};
  json mine = Create(kube::kLeases, lease);
  json theirs = mine;
  EXPECT_FALSE(mine["metadata"].contains("generation"));
  mine["spec"]["holderIdentity"] = "mine";
  theirs["spec"]["holderIdentity"] = "theirs";
  EXPECT_TRUE(client().Replace(kube::kLeases, Key("roster"), mine, kNever));
  const auto refused = client().Replace(kube::kLeases, Key("roster"), theirs, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Get(kube::kLeases, "roster")["spec"]["holderIdentity"], "mine");
}

TEST_F(ApiConformance, AJsonPatchIsAppliedWholeOrNotAtAll) {
  const json created = Create(kube::kAgents, Agent("a"));
  const json replicas = {{"op", "replace"}, {"path", "/spec/replicas"}, {"value", 2}};
  const auto patch = [&](const json& operations) {
    return client().JsonPatch(kube::kAgents, Key("a"), operations, kNever);
  };

  const auto wrong_version =
      patch({replicas, {{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", "1"}}});
  ASSERT_FALSE(wrong_version);
  EXPECT_EQ(wrong_version.error().kind, ErrorKind::kInvalid);
  const auto no_such_path = patch({replicas, {{"op", "remove"}, {"path", "/spec/nothing"}}});
  ASSERT_FALSE(no_such_path);
  EXPECT_EQ(no_such_path.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Get(kube::kAgents, "a"), created);

  const auto done = patch({{{"op", "test"},
                            {"path", "/metadata/resourceVersion"},
                            {"value", created["metadata"]["resourceVersion"]}},
                           replicas});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ((*done)["spec"]["replicas"], 2);
  EXPECT_EQ(Generation(*done), 2);
}

}  // namespace
}  // namespace roster::conformance
