#include "api/agent.h"

#include <array>

#include "api/json.h"
#include "api/names.h"
#include "base/duration.h"

namespace roster::api {
namespace {

template <class E, size_t N>
using Names = std::array<std::pair<E, std::string_view>, N>;

constexpr Names<DesiredState, 3> kDesiredStates{{{DesiredState::kRunning, "Running"},
                                                 {DesiredState::kPaused, "Paused"},
                                                 {DesiredState::kStopped, "Stopped"}}};
constexpr Names<HeartbeatPolicy, 3> kPolicies{{{HeartbeatPolicy::kRequired, "Required"},
                                               {HeartbeatPolicy::kOptional, "Optional"},
                                               {HeartbeatPolicy::kDisabled, "Disabled"}}};
constexpr Names<AgentState, 10> kStates{{{AgentState::kUnset, ""},
                                         {AgentState::kCreated, "Created"},
                                         {AgentState::kStarting, "Starting"},
                                         {AgentState::kRunning, "Running"},
                                         {AgentState::kPaused, "Paused"},
                                         {AgentState::kStopping, "Stopping"},
                                         {AgentState::kStopped, "Stopped"},
                                         {AgentState::kFailed, "Failed"},
                                         {AgentState::kLost, "Lost"},
                                         {AgentState::kTerminating, "Terminating"}}};
constexpr Names<Health, 5> kHealths{{{Health::kUnset, ""},
                                     {Health::kHealthy, "Healthy"},
                                     {Health::kDegraded, "Degraded"},
                                     {Health::kUnhealthy, "Unhealthy"},
                                     {Health::kUnknown, "Unknown"}}};
constexpr Names<ConditionStatus, 3> kConditionStatuses{{{ConditionStatus::kTrue, "True"},
                                                        {ConditionStatus::kFalse, "False"},
                                                        {ConditionStatus::kUnknown, "Unknown"}}};

template <class E, size_t N>
std::string_view NameOf(const Names<E, N>& names, E value) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return name;
  }
  return "";
}

// A word that this version does not know was written by a newer one: the fallback, rather than
// refusing the object.
template <class E, size_t N>
E ValueOf(const Names<E, N>& names, std::string_view text, E fallback) {
  for (const auto& [candidate, name] : names) {
    if (name == text) return candidate;
  }
  return fallback;
}

std::chrono::milliseconds DurationOr(const json& object, std::string_view key,
                                     std::chrono::milliseconds fallback) {
  const auto parsed = ParseDuration(StringOr(object, key));
  return parsed ? *parsed : fallback;
}

std::optional<int32_t> PortOf(const json& object) {
  if (FindMember(object, "port") == nullptr) return std::nullopt;
  return static_cast<int32_t>(IntOr(object, "port"));
}

std::optional<WallTime> TimeOf(const json& object, std::string_view key) {
  const auto parsed = ParseTime(StringOr(object, key));
  return parsed ? std::optional(*parsed) : std::nullopt;
}

Workload ReadWorkload(const json& workload) {
  Workload result;
  result.image = StringOr(workload, "image");
  result.port = PortOf(workload);
  json rest = workload;
  rest.erase("image");
  rest.erase("port");
  if (!rest.empty()) result.rest = DumpJson(rest);
  return result;
}

std::vector<Skill> ReadSkills(const json* skills) {
  std::vector<Skill> result;
  if (skills == nullptr) return result;
  result.reserve(skills->size());
  for (const json& skill : *skills) {
    Skill read{StringOr(skill, "id"), StringOr(skill, "name"), StringOr(skill, "description"), {}};
    if (const json* tags = FindMember(skill, "tags"))
      read.tags = tags->get<std::vector<std::string>>();
    result.push_back(std::move(read));
  }
  return result;
}

AgentSpec ReadSpec(const json& spec) {
  AgentSpec result;
  result.type = StringOr(spec, "type");
  result.agent_id = StringOr(spec, "agentID");
  result.display_name = StringOr(spec, "displayName");
  result.description = StringOr(spec, "description");
  result.metadata = ReadStringMap(FindMember(spec, "metadata"));
  result.skills = ReadSkills(FindObjects(spec, "skills"));
  result.desired_state =
      ValueOf(kDesiredStates, StringOr(spec, "desiredState"), DesiredState::kRunning);
  result.restarted_at = StringOr(spec, "restartedAt");
  result.resident = BoolOr(spec, "resident");
  result.replicas = static_cast<int32_t>(IntOr(spec, "replicas", 1));
  if (const json* workload = FindObject(spec, "workload"))
    result.workload = ReadWorkload(*workload);
  if (const json* endpoint = FindObject(spec, "endpoint")) {
    result.endpoint = Endpoint{StringOr(*endpoint, "host"), PortOf(*endpoint),
                               StringOr(*endpoint, "scheme", "http")};
  }
  const auto default_policy =
      result.endpoint ? HeartbeatPolicy::kRequired : HeartbeatPolicy::kOptional;
  result.heartbeat.policy = default_policy;
  if (const json* heartbeat = FindObject(spec, "heartbeat")) {
    result.heartbeat.policy = ValueOf(kPolicies, StringOr(*heartbeat, "policy"), default_policy);
    result.heartbeat.interval = DurationOr(*heartbeat, "interval", result.heartbeat.interval);
    result.heartbeat.timeout = DurationOr(*heartbeat, "timeout", result.heartbeat.timeout);
  }
  return result;
}

Condition ReadCondition(const json& condition) {
  return {StringOr(condition, "type"),
          ValueOf(kConditionStatuses, StringOr(condition, "status"), ConditionStatus::kUnknown),
          StringOr(condition, "reason"),
          StringOr(condition, "message"),
          IntOr(condition, "observedGeneration"),
          TimeOf(condition, "lastTransitionTime").value_or(WallTime{})};
}

AgentStatus ReadStatus(const json& status) {
  AgentStatus result;
  result.observed_generation = IntOr(status, "observedGeneration", -1);
  result.state = ValueOf(kStates, StringOr(status, "state"), AgentState::kUnset);
  result.health = ValueOf(kHealths, StringOr(status, "health"), Health::kUnset);
  result.agent_id = StringOr(status, "agentID");
  result.endpoint = StringOr(status, "endpoint");
  result.replicas = static_cast<int32_t>(IntOr(status, "replicas"));
  result.ready_replicas = static_cast<int32_t>(IntOr(status, "readyReplicas"));
  result.selector = StringOr(status, "selector");
  result.restarts = static_cast<int32_t>(IntOr(status, "restarts"));
  if (const json* workload = FindObject(status, "workload")) {
    result.workload = WorkloadRef{StringOr(*workload, "name"), StringOr(*workload, "uid"),
                                  IntOr(*workload, "generation"), StringOr(*workload, "hash")};
  }
  result.registered_time = TimeOf(status, "registeredTime");
  result.started_time = TimeOf(status, "startedTime");
  result.last_heartbeat_time = TimeOf(status, "lastHeartbeatTime");
  if (const json* conditions = FindObjects(status, "conditions")) {
    for (const json& condition : *conditions) result.conditions.push_back(ReadCondition(condition));
  }
  if (const json* history = FindObjects(status, "history")) {
    for (const json& entry : *history) {
      result.history.push_back({TimeOf(entry, "time").value_or(WallTime{}), StringOr(entry, "from"),
                                StringOr(entry, "to"), StringOr(entry, "reason"),
                                StringOr(entry, "by")});
    }
  }
  return result;
}

StringMap ReadOwnAnnotations(const json& metadata) {
  StringMap own;
  for (auto& entry : ReadStringMap(FindMember(metadata, "annotations"))) {
    if (entry.first.starts_with(annotation::kPrefix)) own.push_back(std::move(entry));
  }
  return own;
}

}  // namespace

std::string_view ToString(DesiredState state) {
  return NameOf(kDesiredStates, state);
}
std::string_view ToString(HeartbeatPolicy policy) {
  return NameOf(kPolicies, policy);
}
std::string_view ToString(AgentState state) {
  return NameOf(kStates, state);
}
std::string_view ToString(Health health) {
  return NameOf(kHealths, health);
}
std::string_view ToString(ConditionStatus status) {
  return NameOf(kConditionStatuses, status);
}

const Condition* AgentStatus::FindCondition(std::string_view type) const {
  for (const Condition& condition : conditions) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

Result<Agent> ParseAgent(const json& object) {
  return Guard<Agent>(object, kAgentKind, [](const json& o) -> Result<Agent> {
    Agent agent;
    agent.meta = ReadMeta(o);
    agent.labels = ReadStringMap(FindMember(o.at("metadata"), "labels"));
    agent.annotations = ReadOwnAnnotations(o.at("metadata"));
    if (const json* spec = FindObject(o, "spec")) agent.spec = ReadSpec(*spec);
    if (const json* status = FindObject(o, "status")) agent.status = ReadStatus(*status);
    // All that is decided about an Agent rests on this; a CRD of another version may not ensure it.
    if (agent.spec.workload.has_value() == agent.spec.endpoint.has_value()) {
      return Error{ErrorKind::kMalformed, DescribeObject(o, kAgentKind) +
                                              ": exactly one of spec.workload and spec.endpoint "
                                              "is needed"};
    }
    return agent;
  });
}

}  // namespace roster::api
