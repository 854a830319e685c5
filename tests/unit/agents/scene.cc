#include "unit/agents/scene.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "api/names.h"

namespace roster::agents::test {
namespace {

using nlohmann::json;

constexpr WallTime kLongAgo{std::chrono::seconds(1767225600)};  // 2026-01-01T00:00:00Z

// The server stores no nulls.
void Prune(json& value) {
  if (value.is_object()) {
    for (auto it = value.begin(); it != value.end();) {
      it = it->is_null() ? value.erase(it) : std::next(it);
    }
  }
  if (value.is_structured()) {
    for (json& child : value) Prune(child);
  }
}

}  // namespace

api::Agent WorkloadAgent() {
  api::Agent agent;
  agent.meta.ns = "lab";
  agent.meta.name = "researcher";
  agent.meta.uid = "u-agent";
  agent.meta.generation = 1;
  agent.meta.resource_version = 1;
  agent.meta.creation_time = kLongAgo;
  agent.spec.type = "research";
  agent.spec.workload = api::Workload{"i:1", 8000, ""};
  return agent;
}

api::Agent EndpointAgent() {
  api::Agent agent = WorkloadAgent();
  agent.meta.name = "edge";
  agent.spec.type = "reporter";
  agent.spec.workload.reset();
  agent.spec.endpoint = api::Endpoint{"edge.example", 8443, "https"};
  agent.spec.heartbeat.policy = api::HeartbeatPolicy::kRequired;
  return agent;
}

api::Pod ReadyPod(const std::string& name) {
  api::Pod pod = UnreadyPod(name);
  pod.ready = true;
  return pod;
}

api::Pod UnreadyPod(const std::string& name) {
  api::Pod pod;
  pod.meta.ns = "lab";
  pod.meta.name = name;
  pod.meta.uid = "u-" + name;
  pod.agent_uid = "u-agent";
  pod.phase = "Running";
  pod.ready_since = kLongAgo;
  return pod;
}

api::Pod TroubledPod(const std::string& reason, const std::string& message,
                     const std::string& name) {
  api::Pod pod = UnreadyPod(name);
  pod.phase = "Pending";
  pod.problem = reason;
  pod.problem_message = message;
  return pod;
}

Scene::Scene(api::Agent agent_in_it) : agent(std::move(agent_in_it)) {}

void Scene::EditDeployment(const std::string& pointer, const json& value) {
  (*deployment)[json::json_pointer(pointer)] = value;
  json& generation = (*deployment)["metadata"]["generation"];
  generation = generation.get<int64_t>() + 1;
}

void Scene::RunCluster() {
  pods.clear();
  if (!deployment) return;
  const int64_t replicas = (*deployment)["spec"]["replicas"];
  for (int64_t i = 0; i < replicas; ++i) {
    pods.push_back(ReadyPod(fmt::format("{}-{}", agent.meta.name, i + 1)));
  }
  json& status = (*deployment)["status"] = json::object();
  status["observedGeneration"] = (*deployment)["metadata"]["generation"];
  if (replicas == 0) return;
  for (const char* count : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"}) {
    status[count] = replicas;
  }
}

Observed Scene::Observe() const {
  Observed observed;
  observed.agent = std::make_shared<const api::Agent>(agent);
  if (deployment) {
    observed.deployment =
        std::make_shared<const api::Deployment>(api::ParseDeployment(*deployment).value());
  }
  if (service) {
    observed.service = std::make_shared<const api::Service>(api::ParseService(*service).value());
  }
  for (const api::Pod& pod : pods) observed.pods.push_back(std::make_shared<const api::Pod>(pod));
  observed.written_generation = written_generation_;
  observed.predecessor_remains = predecessor_remains;
  observed.deployment_problem = deployment_problem;
  observed.service_problem = service_problem;
  observed.id_holder = id_holder;
  return observed;
}

PlanResult Scene::Plan() const {
  return agents::Plan(Observe(), settings, now);
}

std::vector<std::string> Scene::Reconcile(std::optional<size_t> crash_after) {
  std::vector<std::string> done;
  written_generation_.reset();
  const auto crashed = [&] { return crash_after && done.size() >= *crash_after; };
  PlanResult plan = Plan();
  while (!plan.actions.empty() && !crashed()) {
    for (const Action& action : plan.actions) {
      if (crashed()) break;
      CarryOut(action);
      done.push_back(Describe(action));
      if (done.size() > 10) {
        ADD_FAILURE() << "does not come to rest";
        return done;
      }
    }
    plan = Plan();
  }
  written_generation_.reset();
  if (crashed()) return done;
  events_ = plan.events;
  WriteStatus(plan.status);
  return done;
}

void Scene::Converge() {
  Reconcile();
  RunCluster();
  Reconcile();
}

void Scene::CarryOut(const Action& action) {
  const bool is_deployment = action.child == ChildKind::kDeployment;
  std::optional<json>& child = is_deployment ? deployment : service;
  if (action.kind == ActionKind::kDelete) {
    ASSERT_TRUE(child.has_value());
    child.reset();
    return;
  }
  json intent = action.manifest;
  Prune(intent);
  if (action.kind == ActionKind::kCreate) {
    ASSERT_FALSE(child.has_value());
    child = intent;
    (*child)["metadata"]["uid"] = fmt::format("u-child-{}", ++uids_);
    if (is_deployment) (*child)["metadata"]["generation"] = 1;
  } else {
    ASSERT_TRUE(child.has_value());
    json& metadata = (*child)["metadata"];
    for (const char* map : {"labels", "annotations"}) {
      metadata[map].update(intent["metadata"][map]);
    }
    metadata["ownerReferences"] = intent["metadata"]["ownerReferences"];
    if (is_deployment && (*child)["spec"] != intent["spec"]) {
      metadata["generation"] = metadata["generation"].get<int64_t>() + 1;
    }
    (*child)["spec"] = intent["spec"];
  }
  if (is_deployment) written_generation_ = (*child)["metadata"]["generation"].get<int64_t>();
}

void Scene::WriteStatus(const api::AgentStatus& status) {
  const json patch = api::StatusPatch(agent.status, status);
  if (patch.empty()) return;
  ++status_writes_;
  // By way of text, as it comes back by the watch.
  json stored = api::StatusToJson(agent.status);
  stored.merge_patch(json::parse(api::DumpJson(patch)));
  const json object{
      {"metadata", {{"name", "a"}}}, {"spec", {{"endpoint", json::object()}}}, {"status", stored}};
  agent.status = api::ParseAgent(object).value().status;
}

const api::Condition* Scene::Find(std::string_view type) const {
  return agent.status.FindCondition(type);
}

std::string Scene::Condition(std::string_view type) const {
  const api::Condition* condition = Find(type);
  return condition ? fmt::format("{} {}", ToString(condition->status), condition->reason) : "";
}

std::string Describe(const Action& action) {
  constexpr std::string_view kVerbs[] = {"create", "apply", "delete"};
  return fmt::format("{} {}", kVerbs[static_cast<size_t>(action.kind)],
                     action.child == ChildKind::kDeployment ? "Deployment" : "Service");
}

std::vector<std::string> Describe(const std::vector<Action>& actions) {
  std::vector<std::string> described;
  for (const Action& action : actions) described.push_back(Describe(action));
  return described;
}

}  // namespace roster::agents::test
