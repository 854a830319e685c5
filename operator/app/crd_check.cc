#include "app/crd_check.h"

#include <fmt/format.h>

#include <array>

#include "api/agent.h"
#include "api/json.h"
#include "api/names.h"

namespace roster::app {
namespace {

using nlohmann::json;

/// Fields of spec that ParseAgent reads.
constexpr std::array<std::string_view, 13> kSpecFields{
    "type",        "agentID",  "displayName", "description", "metadata", "skills",   "desiredState",
    "restartedAt", "resident", "replicas",    "workload",    "endpoint", "heartbeat"};

/// A status in which everything is set. Needed fields come from what StatusToJson makes of it, so
/// that a field which is written and not checked cannot be.
json FullStatus() {
  api::AgentStatus status;
  status.observed_generation = 1;
  status.state = api::AgentState::kRunning;
  status.health = api::Health::kHealthy;
  status.agent_id = "id";
  status.endpoint = "http://host";
  status.replicas = 1;
  status.ready_replicas = 1;
  status.selector = "a=b";
  status.restarts = 1;
  status.workload = api::WorkloadRef{"name", "uid", 1, "hash"};
  const WallTime time{};
  status.registered_time = time;
  status.started_time = time;
  status.last_heartbeat_time = time;
  status.conditions.push_back({"Ready", api::ConditionStatus::kTrue, "Reason", "message", 1, time});
  status.history.push_back({time, "from", "to", "reason", "by"});
  return api::StatusToJson(status);
}

/// Paths of all members of `value`, those in the elements of arrays included.
void AddPaths(const json& value, const std::string& path, std::vector<std::string>& out) {
  if (value.is_array()) {
    for (const json& element : value) AddPaths(element, path, out);
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, member] : value.items()) {
    const std::string member_path = fmt::format("{}.{}", path, name);
    out.push_back(member_path);
    AddPaths(member, member_path, out);
  }
}

const json* Member(const json* object, std::string_view name) {
  return object != nullptr && object->is_object() ? api::FindMember(*object, name) : nullptr;
}

/// Whether the OpenAPI `schema` keeps the field at `path`.
bool Keeps(const json* schema, std::string_view path) {
  while (schema != nullptr) {
    if (const json* items = Member(schema, "items")) schema = items;
    const json* any = Member(schema, "x-kubernetes-preserve-unknown-fields");
    if (path.empty() || (any != nullptr && any->is_boolean() && any->get<bool>())) return true;
    const size_t dot = path.find('.');
    schema = Member(Member(schema, "properties"), path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return false;
}

Error TooOld(std::string_view lacks) {
  return {ErrorKind::kInvalid,
          fmt::format("the CRD {} is too old for this operator: it has no {}", kCrdName, lacks)};
}

}  // namespace

std::vector<std::string> NeededFields() {
  std::vector<std::string> fields;
  for (const std::string_view field : kSpecFields) fields.push_back(fmt::format("spec.{}", field));
  AddPaths(FullStatus(), "status", fields);
  return fields;
}

Status CheckCrdObject(const json& crd) {
  const json* versions = Member(Member(&crd, "spec"), "versions");
  const json* version = nullptr;
  if (versions != nullptr && versions->is_array()) {
    for (const json& candidate : *versions) {
      const json* name = Member(&candidate, "name");
      const json* served = Member(&candidate, "served");
      if (name != nullptr && *name == api::kVersion && served != nullptr && *served == true) {
        version = &candidate;
      }
    }
  }
  if (version == nullptr) return TooOld(fmt::format("served version {}", api::kVersion));
  if (Member(Member(version, "subresources"), "status") == nullptr) {
    return TooOld("subresource status");
  }
  const json* schema = Member(Member(version, "schema"), "openAPIV3Schema");
  for (const std::string& field : NeededFields()) {
    if (!Keeps(schema, field)) return TooOld("field " + field);
  }
  const json* conditions = Member(Member(&crd, "status"), "conditions");
  if (conditions != nullptr && conditions->is_array()) {
    for (const json& condition : *conditions) {
      if (api::StringOr(condition, "type") == "Established" &&
          api::StringOr(condition, "status") == "True") {
        return Ok();
      }
    }
  }
  return Error{
      ErrorKind::kUnavailable,
      fmt::format(
          "the API server does not serve the CRD {} yet (condition Established is not True)",
          kCrdName)};
}

Result<CrdCheck> CheckCrd(kube::Client& client, const std::vector<std::string>& namespaces,
                          std::stop_token stop) {
  const auto missing = [] {
    return Error{ErrorKind::kNotFound, fmt::format("the CRD {} is missing", kCrdName)};
  };
  const Result<json> crd =
      client.Get(kube::kCustomResourceDefinitions, {"", std::string(kCrdName)}, stop);
  if (crd.ok()) {
    if (const Status checked = CheckCrdObject(*crd); !checked.ok()) return checked.error();
    return CrdCheck::kGood;
  }
  if (crd.error().kind == ErrorKind::kNotFound) return missing();
  if (crd.error().kind != ErrorKind::kForbidden) return crd.error();
  kube::ListOptions one;
  one.ns = namespaces.empty() ? "" : namespaces.front();
  one.limit = 1;
  const auto listed = client.List(kube::kAgents, one, [](json&&) {}, stop);
  if (listed.ok()) return CrdCheck::kPresent;
  if (listed.error().kind == ErrorKind::kNotFound) return missing();
  return listed.error();
}

}  // namespace roster::app
