#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/children.h"
#include "api/json.h"

namespace roster::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A Pod of Kubernetes 1.35 with this status.
json PodWith(const std::string& status) {
  json pod = json::parse(R"({
  "apiVersion": "v1", "kind": "Pod",
  "metadata": {
    "creationTimestamp": "2026-01-02T03:04:05Z", "generateName": "researcher-5d4-", "generation": 1,
    "labels": {"agentroster.dev/agent-uid": "u-agent", "agentroster.dev/type": "research",
               "app.kubernetes.io/managed-by": "roster", "pod-template-hash": "5d4"},
    "name": "researcher-5d4-x", "namespace": "lab",
    "ownerReferences": [{"apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
                         "kind": "ReplicaSet", "name": "researcher-5d4", "uid": "u-rs"}],
    "resourceVersion": "900", "uid": "u-pod"},
  "spec": {"containers": [{"image": "i", "name": "agent"}], "nodeName": "n1"}})");
  pod["status"] = json::parse(status);
  return pod;
}

constexpr const char* kRunning = R"({
  "phase": "Running", "podIP": "10.244.0.7", "qosClass": "BestEffort", "observedGeneration": 1,
  "conditions": [
    {"lastProbeTime": null, "lastTransitionTime": "2026-01-02T03:04:08Z", "observedGeneration": 1,
     "status": "True", "type": "PodReadyToStartContainers"},
    {"lastProbeTime": null, "lastTransitionTime": "2026-01-02T03:04:05Z", "status": "True", "type": "Initialized"},
    {"lastProbeTime": null, "lastTransitionTime": "2026-01-02T03:04:09Z", "status": "True", "type": "Ready"},
    {"lastProbeTime": null, "lastTransitionTime": "2026-01-02T03:04:09Z", "status": "True", "type": "ContainersReady"},
    {"lastProbeTime": null, "lastTransitionTime": "2026-01-02T03:04:05Z", "status": "True", "type": "PodScheduled"}],
  "containerStatuses": [{"containerID": "containerd://a", "image": "i", "imageID": "i@sha256:0", "lastState": {},
    "name": "agent", "ready": true, "restartCount": 0, "started": true,
    "state": {"running": {"startedAt": "2026-01-02T03:04:08Z"}}}]})";

Pod Parse(const std::string& status) {
  const auto pod = ParsePod(PodWith(status));
  EXPECT_TRUE(pod.ok()) << pod.error().message;
  return *pod;
}

TEST(ParsePodTest, ReadsAPodThatIsWell) {
  const Pod pod = Parse(kRunning);
  EXPECT_EQ(pod.meta.key(), (ObjectKey{"lab", "researcher-5d4-x"}));
  EXPECT_EQ(pod.agent_uid, "u-agent");
  EXPECT_EQ(pod.template_hash, "5d4");
  EXPECT_EQ(pod.phase, "Running");
  EXPECT_TRUE(pod.ready);
  EXPECT_EQ(FormatTime(pod.ready_since), "2026-01-02T03:04:09Z");
  EXPECT_EQ(pod.restarts, 0);
  EXPECT_EQ(pod.problem, "");
  EXPECT_EQ(pod.last_exit, "");
}

TEST(ParsePodTest, AFreshPodHasOnlyAPhase) {
  const Pod pod = Parse(R"({"phase": "Pending", "qosClass": "BestEffort"})");
  EXPECT_EQ(pod.phase, "Pending");
  EXPECT_FALSE(pod.ready);
  EXPECT_EQ(pod.problem, "");
  json object = PodWith("{}");
  object.erase("status");
  EXPECT_TRUE(ParsePod(object).ok());
}

// One container in the middle of what it goes through.
std::string Container(const std::string& name, int restarts, const std::string& state,
                      const std::string& last = "{}") {
  return R"({"image": "i", "imageID": "", "name": ")" + name +
         R"(", "ready": false, "restartCount": )" + std::to_string(restarts) +
         R"(, "started": false, "state": )" + state + R"(, "lastState": )" + last + "}";
}
std::string Containers(const std::string& list, const std::string& phase = "Pending") {
  return R"({"phase": ")" + phase + R"(", "containerStatuses": [)" + list + "]}";
}
std::string Waiting(const std::string& reason, const std::string& message = "") {
  json waiting{{"reason", reason}};
  if (!message.empty()) waiting["message"] = message;
  return json{{"waiting", waiting}}.dump();
}
std::string Ended(int code, const std::string& reason,
                  const std::string& finished = "2026-01-02T03:05:00Z",
                  const std::string& message = "") {
  json ended{{"exitCode", code},
             {"reason", reason},
             {"containerID", "containerd://a"},
             {"startedAt", "2026-01-02T03:04:08Z"},
             {"finishedAt", finished}};
  if (!message.empty()) ended["message"] = message;
  return json{{"terminated", ended}}.dump();
}
const std::string kRunningState = R"({"running": {"startedAt": "2026-01-02T03:06:00Z"}})";

TEST(ParsePodTest, SaysWhatIsWrong) {
  const struct {
    const char* name;
    std::string status;
    std::string problem;
    std::string message;
    std::string last_exit;
  } table[] = {
      {"being created", Containers(Container("agent", 0, Waiting("ContainerCreating"))), "", "",
       ""},
      {"waiting for its init containers",
       Containers(Container("agent", 0, Waiting("PodInitializing"))), "", "", ""},
      {"a first pull failed",
       Containers(Container("agent", 0,
                            Waiting("ErrImagePull",
                                    "failed to pull and unpack image "
                                    "\"docker.io/x/y:z\": not found"))),
       "ErrImagePull",
       "container agent: failed to pull and unpack image \"docker.io/x/y:z\": not found", ""},
      {"backing off from pulls",
       Containers(
           Container("agent", 0, Waiting("ImagePullBackOff", "Back-off pulling image \"x/y:z\""))),
       "ImagePullBackOff", "container agent: Back-off pulling image \"x/y:z\"", ""},
      {"an unusable image name",
       Containers(Container(
           "agent", 0, Waiting("InvalidImageName", "Failed to apply default image tag \"x:y:z\""))),
       "InvalidImageName", "container agent: Failed to apply default image tag \"x:y:z\"", ""},
      {"a Secret is missing",
       Containers(
           Container("agent", 0, Waiting("CreateContainerConfigError", "secret \"s\" not found"))),
       "CreateContainerConfigError", "container agent: secret \"s\" not found", ""},
      {"just crashed", Containers(Container("agent", 0, Ended(1, "Error")), "Running"), "Error",
       "container agent ended with Error (exit code 1)",
       "container agent last ended with Error (exit code 1)"},
      {"crash loop, waiting",
       Containers(Container("agent", 4,
                            Waiting("CrashLoopBackOff",
                                    "back-off 1m20s restarting failed "
                                    "container=agent pod=x"),
                            Ended(137, "OOMKilled")),
                  "Running"),
       "CrashLoopBackOff",
       "container agent: back-off 1m20s restarting failed container=agent pod=x",
       "container agent last ended with OOMKilled (exit code 137)"},
      {"crash loop, between two crashes",
       Containers(Container("agent", 5, kRunningState, Ended(137, "OOMKilled")), "Running"), "", "",
       "container agent last ended with OOMKilled (exit code 137)"},
      {"crash loop, just crashed again",
       Containers(Container("agent", 5, Ended(137, "OOMKilled", "2026-01-02T03:07:00Z"),
                            Ended(1, "Error", "2026-01-02T03:05:00Z")),
                  "Running"),
       "OOMKilled", "container agent ended with OOMKilled (exit code 137)",
       "container agent last ended with OOMKilled (exit code 137)"},
      {"the program does not exist",
       Containers(Container("agent", 0,
                            Ended(128, "StartError", "1970-01-01T00:00:00Z",
                                  "exec: \"nope\": executable file not found in $PATH\n"))),
       "StartError",
       "container agent ended with StartError (exit code 128): exec: \"nope\": executable file not "
       "found "
       "in $PATH",
       "container agent last ended with StartError (exit code 128): exec: \"nope\": executable "
       "file not "
       "found in $PATH"},
      {"ends without a reason, as under some runtimes",
       Containers(Container("agent", 0, R"({"terminated": {"exitCode": 3}})"), "Running"), "Error",
       "container agent ended with Error (exit code 3)",
       "container agent last ended with Error (exit code 3)"},
      {"ends well, to be started again",
       Containers(Container("agent", 1, Ended(0, "Completed")), "Running"), "", "",
       "container agent last ended with Completed (exit code 0)"},
      {"an init container fails",
       R"({"phase": "Pending", "initContainerStatuses": [)" +
           Container("setup", 2, Waiting("CrashLoopBackOff", "back-off 20s"), Ended(2, "Error")) +
           R"(], "containerStatuses": [)" + Container("agent", 0, Waiting("PodInitializing")) +
           "]}",
       "CrashLoopBackOff", "container setup: back-off 20s",
       "container setup last ended with Error (exit code 2)"},
      {"an init container is done, the main one fails",
       R"({"phase": "Running", "initContainerStatuses": [)" +
           Container("setup", 1, Ended(0, "Completed", "2026-01-02T03:04:30Z"),
                     Ended(2, "Error", "2026-01-02T03:04:10Z")) +
           R"(], "containerStatuses": [)" +
           Container("agent", 3, Waiting("CrashLoopBackOff", "back-off 40s"), Ended(1, "Error")) +
           "]}",
       "CrashLoopBackOff", "container agent: back-off 40s",
       "container agent last ended with Error (exit code 1)"},
      {"no node has room",
       R"({"phase": "Pending", "conditions": [{"lastTransitionTime": "2026-01-02T03:04:05Z",
           "message": "0/3 nodes are available: 3 Insufficient cpu.", "reason": "Unschedulable",
           "status": "False", "type": "PodScheduled"}]})",
       "Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.", ""},
      {"held back by a scheduling gate",
       R"({"phase": "Pending", "conditions": [{"lastTransitionTime": null, "type": "PodScheduled",
           "message": "Scheduling is blocked due to non-empty scheduling gates",
           "reason": "SchedulingGated", "status": "False"}]})",
       "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", ""},
      {"completed",
       R"({"phase": "Succeeded", "containerStatuses": [)" +
           Container("agent", 0, Ended(0, "Completed")) + "]}",
       "", "", "container agent last ended with Completed (exit code 0)"},
      {"evicted",
       R"({"phase": "Failed", "reason": "Evicted",
           "message": "The node was low on resource: memory."})",
       "Evicted", "The node was low on resource: memory.", ""},
      {"failed without a word", R"({"phase": "Failed"})", "Failed", "", ""},
      {"a helper fails beside a main container that is well",
       Containers(Container("agent", 0, kRunningState) + "," +
                      Container("helper", 1, Waiting("CrashLoopBackOff", "back-off 10s"),
                                Ended(1, "Error")),
                  "Running"),
       "CrashLoopBackOff", "container helper: back-off 10s",
       "container helper last ended with Error (exit code 1)"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const Pod pod = Parse(row.status);
    EXPECT_EQ(pod.problem, row.problem);
    EXPECT_EQ(pod.problem_message, row.message);
    EXPECT_EQ(pod.last_exit, row.last_exit);
  }
}

TEST(ParsePodTest, AddsUpRestartsOverAllContainers) {
  const Pod pod = Parse(R"({"phase": "Running", "initContainerStatuses": [)" +
                        Container("setup", 2, Ended(0, "Completed")) +
                        R"(], "containerStatuses": [)" + Container("agent", 3, kRunningState) +
                        "," + Container("helper", 4, kRunningState) + "]}");
  EXPECT_EQ(pod.restarts, 9);
}

TEST(ParsePodTest, KeepsTheEndOfLongLastWords) {
  std::string log;
  for (int i = 0; i < 300; ++i) log += "\xc3\xa9";
  log += " ValueError: no model given\n";
  const Pod pod = Parse(Containers(Container("agent", 1, Waiting("CrashLoopBackOff"),
                                             Ended(1, "Error", "2026-01-02T03:05:00Z", log)),
                                   "Running"));
  EXPECT_THAT(pod.last_exit,
              StartsWith("container agent last ended with Error (exit code 1): ...\xc3\xa9"));
  EXPECT_THAT(pod.last_exit, testing::EndsWith(" ValueError: no model given"));
  EXPECT_LT(pod.last_exit.size(), 400u);
}

TEST(ParsePodTest, SeesAPodThatIsGoingAway) {
  json object = PodWith(kRunning);
  object["metadata"]["deletionTimestamp"] = "2026-01-02T04:00:00Z";
  object["metadata"]["deletionGracePeriodSeconds"] = 30;
  EXPECT_TRUE(ParsePod(object)->meta.deleting);
}

TEST(ParsePodTest, RefusesWrongTypesAndNamesTheObject) {
  const std::pair<const char*, json> table[] = {
      {"/status/phase", 5},
      {"/status/conditions", "x"},
      {"/status/containerStatuses", json::object()},
      {"/status/containerStatuses/0/restartCount", "3"},
      {"/status/containerStatuses/0/state", "running"},
      {"/status/containerStatuses/0/lastState", json::array()},
      {"/status", "x"},
      {"/metadata/labels/pod-template-hash", 5},
  };
  for (const auto& [pointer, value] : table) {
    SCOPED_TRACE(pointer);
    json object = PodWith(kRunning);
    object[json::json_pointer(pointer)] = value;
    const auto pod = ParsePod(object);
    ASSERT_FALSE(pod.ok());
    EXPECT_EQ(pod.error().kind, ErrorKind::kMalformed);
    EXPECT_THAT(pod.error().message, HasSubstr("Pod lab/researcher-5d4-x at version 900"));
  }
}

}  // namespace
}  // namespace roster::api
