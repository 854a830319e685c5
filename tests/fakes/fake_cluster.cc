#include "fakes/fake_cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"

namespace roster::fake {
namespace {

using api::FindMember;
using api::IntOr;
using api::StringOr;

constexpr kube::Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet"};
constexpr const char* kControllerManager = "kube-controller-manager";
constexpr const char* kKubelet = "kubelet";

api::ObjectKey KeyOf(const json& object) {
  return {StringOr(object.at("metadata"), "namespace"), StringOr(object.at("metadata"), "name")};
}

bool IsReady(const json& pod) {
  const json* conditions = FindMember(pod.at("status"), "conditions");
  return conditions != nullptr &&
         std::any_of(conditions->begin(), conditions->end(), [](const json& condition) {
           return condition.at("type") == "Ready" && condition.at("status") == "True";
         });
}

bool OwnedBy(const json& object, const json& owner) {
  const json* owners = FindMember(object.at("metadata"), "ownerReferences");
  return owners != nullptr &&
         std::any_of(owners->begin(), owners->end(), [&](const json& reference) {
           return reference.at("uid") == owner.at("metadata").at("uid");
         });
}

const json* FindCondition(const json& deployment, std::string_view type) {
  const json* status = FindMember(deployment, "status");
  const json* conditions = status ? FindMember(*status, "conditions") : nullptr;
  if (conditions == nullptr) return nullptr;
  for (const json& condition : *conditions) {
    if (condition.at("type") == type) return &condition;
  }
  return nullptr;
}

// Like metav1 omitempty.
void SetCount(json& status, const char* field, size_t count) {
  if (count > 0) status[field] = count;
}

}  // namespace

void FakeCluster::RunControllers() {
  for (const json& deployment : server_.List(kube::kDeployments)) {
    if (!deployment.at("metadata").contains("deletionTimestamp")) RunOne(deployment);
  }
}

void FakeCluster::RunOne(const json& deployment) {
  Rollout rollout;
  rollout.deployment = deployment;
  rollout.hash = fmt::format(
      "{:010x}", api::StableHash(deployment.at("spec").at("template").dump()) & 0xffffffffffULL);
  rollout.replica_set = EnsureReplicaSet(deployment, rollout.hash);
  const auto behaviour = behaviours_.find(KeyOf(deployment));
  rollout.behaviour = behaviour == behaviours_.end() ? PodBehaviour::kReady : behaviour->second;
  FindPods(rollout);
  Scale(rollout);
  Behave(rollout);
  Report(rollout);
}

json FakeCluster::EnsureReplicaSet(const json& deployment, const std::string& hash) {
  const api::ObjectKey key{KeyOf(deployment).ns,
                           fmt::format("{}-{}", KeyOf(deployment).name, hash)};
  if (auto found = server_.Get(kReplicaSets, key)) return *found;
  return server_.Put({{"apiVersion", "apps/v1"},
                      {"kind", "ReplicaSet"},
                      {"metadata",
                       {{"name", key.name},
                        {"namespace", key.ns},
                        {"labels", {{"pod-template-hash", hash}}},
                        {"ownerReferences",
                         {{{"apiVersion", "apps/v1"},
                           {"kind", "Deployment"},
                           {"name", KeyOf(deployment).name},
                           {"uid", deployment.at("metadata").at("uid")},
                           {"controller", true},
                           {"blockOwnerDeletion", true}}}}}},
                      {"spec", {{"template", deployment.at("spec").at("template")}}}},
                     kControllerManager);
}

void FakeCluster::FindPods(Rollout& rollout) const {
  const std::string ns = KeyOf(rollout.deployment).ns;
  for (const json& set : server_.List(kReplicaSets, ns)) {
    if (!OwnedBy(set, rollout.deployment)) continue;
    for (const json& pod : server_.List(kube::kPods, ns)) {
      if (!OwnedBy(pod, set)) continue;
      (KeyOf(set) == KeyOf(rollout.replica_set) ? rollout.current : rollout.old).push_back(pod);
    }
  }
}

void FakeCluster::Remove(const json& pod) {
  server_.Delete(kube::kPods, KeyOf(pod));
}

void FakeCluster::Scale(Rollout& rollout) {
  const json& spec = rollout.deployment.at("spec");
  const auto wanted = static_cast<size_t>(IntOr(spec, "replicas", 1));
  const bool recreate = StringOr(spec.at("strategy"), "type") == "Recreate";
  const bool succeeds = rollout.behaviour == PodBehaviour::kReady;

  // A rolling update brings up one new pod before it takes an old one down; one that never gets
  // ready stops it there.
  size_t current_wanted = wanted;
  size_t old_wanted = 0;
  if (!rollout.old.empty() && !recreate && !succeeds) {
    old_wanted = std::min(rollout.old.size(), wanted);
    current_wanted = std::min<size_t>(wanted, 1);
  }
  for (; rollout.old.size() > old_wanted; rollout.old.pop_back()) Remove(rollout.old.back());
  if (rollout.behaviour == PodBehaviour::kQuotaExceeded)
    current_wanted = std::min(current_wanted, rollout.current.size());
  for (; rollout.current.size() > current_wanted; rollout.current.pop_back())
    Remove(rollout.current.back());
  while (rollout.current.size() < current_wanted) {
    const std::string name =
        fmt::format("{}-{:05}", StringOr(rollout.replica_set.at("metadata"), "name"), ++pods_made_);
    json pod = server_.Put(MakePod(rollout.deployment, rollout.replica_set, rollout.hash, name),
                           kControllerManager);
    rollout.current.push_back(std::move(pod));
  }
}

void FakeCluster::Behave(Rollout& rollout) {
  // Pods that were there before a quota was lowered go on as they are.
  if (rollout.behaviour == PodBehaviour::kQuotaExceeded) return;
  for (json& pod : rollout.current) {
    json status = PodStatus(pod, rollout.behaviour, clock_.Wall());
    if (status == pod.at("status")) continue;
    pod["status"] = std::move(status);
    pod = server_.PutStatus(pod, kKubelet);
  }
}

void FakeCluster::Report(const Rollout& rollout) {
  const json& spec = rollout.deployment.at("spec");
  const auto wanted = static_cast<size_t>(IntOr(spec, "replicas", 1));
  const size_t total = rollout.current.size() + rollout.old.size();
  const auto count_ready = [](const std::vector<json>& pods) {
    return static_cast<size_t>(std::count_if(pods.begin(), pods.end(), IsReady));
  };
  const size_t updated_ready = count_ready(rollout.current);
  const size_t ready = updated_ready + count_ready(rollout.old);

  json status = {{"observedGeneration", rollout.deployment.at("metadata").at("generation")}};
  SetCount(status, "replicas", total);
  SetCount(status, "updatedReplicas", rollout.current.size());
  SetCount(status, "readyReplicas", ready);
  SetCount(status, "availableReplicas", ready);
  SetCount(status, "unavailableReplicas", std::max(wanted, total) - ready);

  const std::string now = FormatTime(clock_.Wall());
  const auto add = [&](const char* type, bool value, const std::string& reason,
                       const std::string& message) {
    const json* old = FindCondition(rollout.deployment, type);
    json condition = {{"type", type},
                      {"status", value ? "True" : "False"},
                      {"reason", reason},
                      {"message", message}};
    const bool same = old != nullptr && old->at("status") == condition["status"];
    const bool all_same = same && old->at("reason") == reason && old->at("message") == message;
    condition["lastTransitionTime"] = same ? old->at("lastTransitionTime") : json(now);
    condition["lastUpdateTime"] = all_same ? old->at("lastUpdateTime") : json(now);
    status["conditions"].push_back(std::move(condition));
  };
  // The default 25 % of unavailable pods, rounded down.
  const bool available = ready + wanted / 4 >= wanted;
  add("Available", available, available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      available ? "Deployment has minimum availability."
                : "Deployment does not have minimum availability.");
  const json progress = ProgressOf(rollout, updated_ready == wanted && rollout.old.empty());
  add("Progressing", progress.at("value"), progress.at("reason"), progress.at("message"));
  if (rollout.behaviour == PodBehaviour::kQuotaExceeded && rollout.current.size() < wanted) {
    add("ReplicaFailure", true, "FailedCreate",
        QuotaMessage(StringOr(rollout.replica_set.at("metadata"), "name")));
  }
  if (status == rollout.deployment.value("status", json())) return;
  json reported = rollout.deployment;
  reported["status"] = std::move(status);
  server_.PutStatus(reported, kControllerManager);
}

json FakeCluster::ProgressOf(const Rollout& rollout, bool complete) const {
  const std::string name = StringOr(rollout.replica_set.at("metadata"), "name");
  if (complete) {
    return {{"value", true},
            {"reason", "NewReplicaSetAvailable"},
            {"message", fmt::format("ReplicaSet \"{}\" has successfully progressed.", name)}};
  }
  const json* old = FindCondition(rollout.deployment, "Progressing");
  const bool stalled_before = old != nullptr &&
                              StringOr(*old, "reason") == "ProgressDeadlineExceeded" &&
                              IntOr(rollout.deployment.at("status"), "observedGeneration") ==
                                  IntOr(rollout.deployment.at("metadata"), "generation");
  bool stalled = stalled_before;
  if (old != nullptr && StringOr(*old, "reason") == "ReplicaSetUpdated") {
    const auto since = ParseTime(StringOr(*old, "lastUpdateTime"));
    const std::chrono::seconds deadline(
        IntOr(rollout.deployment.at("spec"), "progressDeadlineSeconds", 600));
    stalled = stalled || (since && clock_.Wall() - *since > deadline);
  }
  if (stalled) {
    return {{"value", false},
            {"reason", "ProgressDeadlineExceeded"},
            {"message", fmt::format("ReplicaSet \"{}\" has timed out progressing.", name)}};
  }
  return {{"value", true},
          {"reason", "ReplicaSetUpdated"},
          {"message", fmt::format("ReplicaSet \"{}\" is progressing.", name)}};
}

}  // namespace roster::fake
