#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/children.h"
#include "api/json.h"

namespace roster::api {
namespace {

using testing::HasSubstr;
using testing::Optional;
using testing::Pair;

// As Kubernetes 1.35 returns it: created by POST, status written by the Deployment controller.
json RealDeployment() {
  return json::parse(R"({
  "apiVersion": "apps/v1",
  "kind": "Deployment",
  "metadata": {
    "annotations": {
      "agentroster.dev/intent-hash": "0123456789abcdef",
      "deployment.kubernetes.io/revision": "2"
    },
    "creationTimestamp": "2026-01-02T03:04:05Z",
    "generation": 2,
    "labels": {
      "agentroster.dev/agent-uid": "u-agent",
      "agentroster.dev/type": "research",
      "app.kubernetes.io/managed-by": "roster",
      "app.kubernetes.io/name": "researcher"
    },
    "managedFields": [
      {"apiVersion": "apps/v1", "fieldsType": "FieldsV1",
       "fieldsV1": {"f:spec": {"f:replicas": {}}}, "manager": "kubectl", "operation": "Update",
       "time": "2026-01-02T03:04:05Z"},
      {"apiVersion": "apps/v1", "fieldsType": "FieldsV1",
       "fieldsV1": {"f:metadata": {"f:labels": {".": {}}}}, "manager": "roster",
       "operation": "Update", "time": "2026-01-02T03:04:05Z"},
      {"apiVersion": "apps/v1", "fieldsType": "FieldsV1",
       "fieldsV1": {"f:status": {"f:replicas": {}}}, "manager": "kube-controller-manager",
       "operation": "Update", "subresource": "status", "time": "2026-01-02T03:04:06Z"}
    ],
    "name": "researcher",
    "namespace": "lab",
    "ownerReferences": [{"apiVersion": "agentroster.dev/v1alpha1", "controller": true,
                         "kind": "Agent", "name": "researcher", "uid": "u-agent"}],
    "resourceVersion": "4711",
    "uid": "u-deployment"
  },
  "spec": {
    "progressDeadlineSeconds": 600,
    "replicas": 3,
    "revisionHistoryLimit": 3,
    "selector": {"matchLabels": {"agentroster.dev/agent-uid": "u-agent"}},
    "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                 "type": "RollingUpdate"},
    "template": {"metadata": {"labels": {"agentroster.dev/agent-uid": "u-agent"}},
                 "spec": {"containers": [{"image": "i", "name": "agent"}], "dnsPolicy": "ClusterFirst",
                          "restartPolicy": "Always", "terminationGracePeriodSeconds": 30}}
  },
  "status": {
    "availableReplicas": 2,
    "conditions": [
      {"lastTransitionTime": "2026-01-02T03:04:06Z", "lastUpdateTime": "2026-01-02T03:04:06Z",
       "message": "Deployment has minimum availability.", "reason": "MinimumReplicasAvailable",
       "status": "True", "type": "Available"},
      {"lastTransitionTime": "2026-01-02T03:04:05Z", "lastUpdateTime": "2026-01-02T03:04:06Z",
       "message": "ReplicaSet \"researcher-5d4\" is progressing.", "reason": "ReplicaSetUpdated",
       "status": "True", "type": "Progressing"}
    ],
    "observedGeneration": 1,
    "readyReplicas": 2,
    "replicas": 4,
    "terminatingReplicas": 1,
    "unavailableReplicas": 1,
    "updatedReplicas": 1
  }})");
}

TEST(ParseDeploymentTest, ReadsWhatRosterActsOn) {
  const auto deployment = ParseDeployment(RealDeployment());
  ASSERT_TRUE(deployment.ok()) << deployment.error().message;
  EXPECT_EQ(deployment->meta.uid, "u-deployment");
  EXPECT_EQ(deployment->meta.generation, 2);
  EXPECT_EQ(deployment->meta.resource_version, 4711u);
  EXPECT_EQ(deployment->agent_uid, "u-agent");
  EXPECT_EQ(deployment->controller.uid, "u-agent");
  EXPECT_EQ(deployment->intent_hash, "0123456789abcdef");
  EXPECT_EQ(deployment->update_entry, 1) << "roster's own Update entry is the second";
  EXPECT_EQ(deployment->replicas, 3);
  EXPECT_EQ(deployment->observed_generation, 1);
  EXPECT_EQ(deployment->current_replicas, 4);
  EXPECT_EQ(deployment->updated_replicas, 1);
  EXPECT_EQ(deployment->ready_replicas, 2);
  EXPECT_EQ(deployment->available_replicas, 2);
  EXPECT_EQ(deployment->replica_failure, std::nullopt);
  EXPECT_EQ(deployment->not_progressing, std::nullopt);
}

TEST(ParseDeploymentTest, OneThatTheControllerHasNotSeenYetHasNoStatus) {
  json object = RealDeployment();
  object["status"] = json::object();
  const auto deployment = ParseDeployment(object);
  ASSERT_TRUE(deployment.ok());
  EXPECT_EQ(deployment->observed_generation, 0);
  EXPECT_EQ(deployment->current_replicas, 0);
  object.erase("status");
  EXPECT_TRUE(ParseDeployment(object).ok());
}

TEST(ParseDeploymentTest, ReplicasThatAreNotWrittenAreOne) {
  json object = RealDeployment();
  object["spec"].erase("replicas");
  EXPECT_EQ(ParseDeployment(object)->replicas, 1);
}

TEST(ParseDeploymentTest, KeepsTheWordsOfAReplicaFailure) {
  json object = RealDeployment();
  object["status"]["conditions"].push_back(
      {{"type", "ReplicaFailure"},
       {"status", "True"},
       {"reason", "FailedCreate"},
       {"message",
        "pods \"researcher-5d4-x\" is forbidden: exceeded quota: pods, requested: pods=1, "
        "used: pods=5, limited: pods=5"}});
  EXPECT_THAT(ParseDeployment(object)->replica_failure,
              Optional(Pair("FailedCreate", HasSubstr("exceeded quota"))));
  object["status"]["conditions"].back()["status"] = "False";
  EXPECT_EQ(ParseDeployment(object)->replica_failure, std::nullopt);
}

TEST(ParseDeploymentTest, KeepsTheWordsOfALackOfProgress) {
  json object = RealDeployment();
  json& progressing = object["status"]["conditions"][1];
  progressing["status"] = "False";
  progressing["reason"] = "ProgressDeadlineExceeded";
  progressing["message"] = "ReplicaSet \"researcher-5d4\" has timed out progressing.";
  EXPECT_THAT(ParseDeployment(object)->not_progressing,
              Optional(Pair("ProgressDeadlineExceeded", HasSubstr("timed out"))));
  // A paused Deployment is Unknown, which is no failure.
  progressing["status"] = "Unknown";
  EXPECT_EQ(ParseDeployment(object)->not_progressing, std::nullopt);
}

TEST(ParseDeploymentTest, FindsTheEntryOfTheFirstPostAlone) {
  const struct {
    const char* entries;
    int32_t index;
  } table[] = {
      {R"([])", -1},
      {R"([{"manager": "roster", "operation": "Apply"}])", -1},
      {R"([{"manager": "roster", "operation": "Update"}])", 0},
      {R"([{"manager": "roster", "operation": "Apply"}, {"manager": "roster", "operation": "Update"}])",
       1},
      {R"([{"manager": "roster", "operation": "Update", "subresource": "status"}])", -1},
      {R"([{"manager": "roster-2", "operation": "Update"}])", -1},
  };
  for (const auto& [entries, index] : table) {
    json object = RealDeployment();
    object["metadata"]["managedFields"] = json::parse(entries);
    EXPECT_EQ(ParseDeployment(object)->update_entry, index) << entries;
  }
  json object = RealDeployment();
  object["metadata"].erase("managedFields");
  EXPECT_EQ(ParseDeployment(object)->update_entry, -1);
}

TEST(ParseDeploymentTest, RefusesWrongTypesAndNamesTheObject) {
  const std::pair<const char*, json> table[] = {
      {"/spec/replicas", "3"},
      {"/status/readyReplicas", true},
      {"/status/conditions", json::object()},
      {"/metadata/labels", json::array()},
      {"/metadata/labels/agentroster.dev~1type", 5},
      {"/metadata/annotations", "x"},
      {"/metadata/managedFields", json::object()},
      {"/metadata/ownerReferences", "x"},
      {"/status", json::array()},
  };
  for (const auto& [pointer, value] : table) {
    SCOPED_TRACE(pointer);
    json object = RealDeployment();
    object[json::json_pointer(pointer)] = value;
    const auto deployment = ParseDeployment(object);
    ASSERT_FALSE(deployment.ok());
    EXPECT_EQ(deployment.error().kind, ErrorKind::kMalformed);
    EXPECT_THAT(deployment.error().message, HasSubstr("Deployment lab/researcher at version 4711"));
  }
}

// What belongs to whom: an edit of ours must be seen, an edit of theirs left alone.
TEST(OwnedMetadataTest, SeesEditsOfOurOwnLabelsAndAnnotationsOnly) {
  const struct {
    const char* pointer;
    json value;  // null removes
    bool seen;
  } table[] = {
      {"/metadata/labels/agentroster.dev~1type", "other", true},
      {"/metadata/labels/agentroster.dev~1type", nullptr, true},
      {"/metadata/labels/agentroster.dev~1agent-uid", "u-2", true},
      {"/metadata/labels/agentroster.dev~1extra", "x", false},
      {"/metadata/labels/app.kubernetes.io~1managed-by", "helm", true},
      {"/metadata/labels/app.kubernetes.io~1name", "other", true},
      {"/metadata/annotations/agentroster.dev~1intent-hash", "0", true},
      {"/metadata/annotations/agentroster.dev~1intent-hash", nullptr, true},
      {"/metadata/labels/team", "search", false},
      {"/metadata/labels/app.kubernetes.io~1part-of", "x", false},
      {"/metadata/annotations/deployment.kubernetes.io~1revision", "3", false},
      {"/metadata/annotations/kubectl.kubernetes.io~1restartedAt", "x", false},
      {"/metadata/generation", 3, false},
      {"/spec/replicas", 7, false},  // moves the generation instead
  };
  const uint64_t before = OwnedMetadataHash(RealDeployment());
  for (const auto& [pointer, value, seen] : table) {
    SCOPED_TRACE(pointer);
    json object = RealDeployment();
    const json::json_pointer at(pointer);
    if (value.is_null()) {
      object[at.parent_pointer()].erase(at.back());
    } else {
      object[at] = value;
    }
    EXPECT_EQ(OwnedMetadataHash(object) != before, seen);
    EXPECT_EQ(ParseDeployment(object)->owned_hash, OwnedMetadataHash(object));
  }
}

TEST(OwnedMetadataTest, TellsALabelFromAnAnnotationAndKeysFromValues) {
  const auto hash = [](const char* metadata) {
    return OwnedMetadataHash(json{{"metadata", json::parse(metadata)}});
  };
  EXPECT_NE(hash(R"({"labels": {"agentroster.dev/type": "b"}})"),
            hash(R"({"annotations": {"agentroster.dev/type": "b"}})"));
  EXPECT_NE(hash(R"({"labels": {"agentroster.dev/type": "bc"}})"),
            hash(R"({"labels": {"agentroster.dev/type": "c"}})"));
  EXPECT_EQ(hash("{}"), hash(R"({"labels": {}, "annotations": null})"));
}

}  // namespace
}  // namespace roster::api
