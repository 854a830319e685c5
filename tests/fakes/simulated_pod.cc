#include "fakes/simulated_pod.h"

#include <fmt/format.h>

#include "api/json.h"

namespace roster::fake {
namespace {

using api::StringOr;
using nlohmann::literals::operator""_json_pointer;

json Condition(const char* type, const char* status, const std::string& since,
               const std::string& reason = {}, const std::string& message = {}) {
  json condition = {{"type", type},
                    {"status", status},
                    {"lastProbeTime", nullptr},
                    {"lastTransitionTime", since}};
  if (!reason.empty()) condition["reason"] = reason;
  if (!message.empty()) condition["message"] = message;
  return condition;
}

struct Crash {
  int64_t restarts;
  std::string time;
};

// The crash that `status` tells of, or the next one once its back-off is over.
Crash NextCrash(const json& status, WallTime now) {
  const json* containers = api::FindMember(status, "containerStatuses");
  if (containers == nullptr) return {1, FormatTime(now)};
  const json& first = containers->front();
  const Crash last{api::IntOr(first, "restartCount"),
                   first.value("/lastState/terminated/finishedAt"_json_pointer, std::string())};
  const auto time = ParseTime(last.time);
  if (time && now - *time < std::chrono::minutes(5)) return last;
  return {last.restarts + 1, FormatTime(now)};
}

// How a condition stood, and since when; now if it stood otherwise or not at all.
std::string Since(const json& status, const char* type, const char* verdict, WallTime now) {
  for (const json& condition : status.value("conditions", json::array())) {
    if (condition["type"] == type && condition["status"] == verdict) {
      return StringOr(condition, "lastTransitionTime");
    }
  }
  return FormatTime(now);
}

// A container that crashed before keeps its count and its last end when it runs again.
void KeepPast(const json& old, const std::string& name, json& status) {
  for (const json& before : old.value("containerStatuses", json::array())) {
    if (before["name"] != name) continue;
    status["restartCount"] = before["restartCount"];
    status["lastState"] = before["lastState"];
  }
}

json ContainerStatus(const json& container, const json& pod, PodBehaviour behaviour,
                     const Crash& crash, const std::string& since) {
  const std::string name = StringOr(container, "name");
  const std::string image = StringOr(container, "image");
  json status = {{"name", name},   {"image", image},    {"imageID", ""},
                 {"ready", false}, {"restartCount", 0}, {"lastState", json::object()}};
  switch (behaviour) {
    case PodBehaviour::kReady:
      status["ready"] = true;
      [[fallthrough]];
    case PodBehaviour::kNeverReady:
      KeepPast(pod.at("status"), name, status);
      status["started"] = true;
      status["containerID"] = "containerd://" + name;
      status["state"] = {{"running", {{"startedAt", since}}}};
      break;
    case PodBehaviour::kCrashLoop:
      status["started"] = false;
      status["restartCount"] = crash.restarts;
      status["state"] = {
          {"waiting",
           {{"reason", "CrashLoopBackOff"},
            {"message",
             fmt::format("back-off 5m0s restarting failed container={} pod={}_{}({})", name,
                         StringOr(pod["metadata"], "name"), StringOr(pod["metadata"], "namespace"),
                         StringOr(pod["metadata"], "uid"))}}}};
      status["lastState"] = {{"terminated",
                              {{"exitCode", 1},
                               {"reason", "Error"},
                               {"startedAt", crash.time},
                               {"finishedAt", crash.time}}}};
      break;
    case PodBehaviour::kImagePullBackOff:
      status["started"] = false;
      status["state"] = {
          {"waiting",
           {{"reason", "ImagePullBackOff"},
            {"message",
             fmt::format("Back-off pulling image \"{}\": ErrImagePull: failed to resolve reference",
                         image)}}}};
      break;
    case PodBehaviour::kUnschedulable:
    case PodBehaviour::kQuotaExceeded:
      break;
  }
  return status;
}

}  // namespace

json MakePod(const json& deployment, const json& owner, const std::string& template_hash,
             const std::string& name) {
  const json& blueprint = deployment.at("spec").at("template");
  json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", blueprint.at("spec")}};
  pod["metadata"] = blueprint.value("metadata", json::object());
  pod["metadata"]["name"] = name;
  pod["metadata"]["namespace"] = deployment.at("metadata").at("namespace");
  pod["metadata"]["labels"]["pod-template-hash"] = template_hash;
  pod["metadata"]["ownerReferences"] = {{{"apiVersion", "apps/v1"},
                                         {"kind", "ReplicaSet"},
                                         {"name", owner.at("metadata").at("name")},
                                         {"uid", owner.at("metadata").at("uid")},
                                         {"controller", true},
                                         {"blockOwnerDeletion", true}}};
  return pod;
}

json PodStatus(const json& pod, PodBehaviour behaviour, WallTime now) {
  // What already stands there has been so since then.
  const json& old = pod.at("status");
  const std::string since = StringOr(old, "startTime", FormatTime(now));
  const Crash crash = NextCrash(old, now);
  json status = {{"qosClass", "BestEffort"}};
  if (behaviour == PodBehaviour::kUnschedulable) {
    status["phase"] = "Pending";
    status["conditions"] = {Condition(
        "PodScheduled", "False", since, "Unschedulable",
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 "
        "No preemption victims found for incoming pod.")};
    return status;
  }
  const bool ready = behaviour == PodBehaviour::kReady;
  std::string names;
  json containers = json::array();
  for (const json& container : pod.at("spec").at("containers")) {
    containers.push_back(ContainerStatus(container, pod, behaviour, crash, since));
    names += (names.empty() ? "" : " ") + StringOr(container, "name");
  }
  const char* verdict = ready ? "True" : "False";
  const std::string turned = Since(old, "Ready", verdict, now);
  const std::string reason = ready ? "" : "ContainersNotReady";
  const std::string message =
      ready ? "" : fmt::format("containers with unready status: [{}]", names);
  status["phase"] = behaviour == PodBehaviour::kImagePullBackOff ? "Pending" : "Running";
  status["startTime"] = since;
  status["hostIP"] = "10.0.0.1";
  status["podIP"] = "10.88.0.2";
  status["containerStatuses"] = std::move(containers);
  status["conditions"] = {Condition("PodReadyToStartContainers", "True", since),
                          Condition("Initialized", "True", since),
                          Condition("Ready", verdict, turned, reason, message),
                          Condition("ContainersReady", verdict, turned, reason, message),
                          Condition("PodScheduled", "True", since)};
  return status;
}

std::string QuotaMessage(const std::string& pod_name) {
  return fmt::format(
      "pods \"{}\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=0, limited: "
      "pods=0",
      pod_name);
}

}  // namespace roster::fake
