#include "api/agent.h"
#include "api/json.h"

namespace roster::api {
namespace {

// Absent and empty are the same to a reader; absent costs nothing to store.
void PutText(json& object, const char* key, std::string_view text) {
  if (!text.empty()) object[key] = text;
}

void PutTime(json& object, const char* key, const std::optional<WallTime>& time) {
  if (time) object[key] = FormatTime(*time);
}

json ConditionToJson(const Condition& condition) {
  return {{"type", condition.type},
          {"status", ToString(condition.status)},
          {"reason", condition.reason},
          {"message", condition.message},
          {"observedGeneration", condition.observed_generation},
          {"lastTransitionTime", FormatTime(condition.last_transition_time)}};
}

json HistoryToJson(const HistoryEntry& entry) {
  json object{{"time", FormatTime(entry.time)}, {"to", entry.to}};
  PutText(object, "from", entry.from);  // the first has none, and "" is not among the allowed
  PutText(object, "reason", entry.reason);
  PutText(object, "by", entry.by);
  return object;
}

}  // namespace

json StatusToJson(const AgentStatus& status) {
  json object{{"observedGeneration", status.observed_generation},
              {"replicas", status.replicas},
              {"readyReplicas", status.ready_replicas}};
  PutText(object, "state", ToString(status.state));
  PutText(object, "health", ToString(status.health));
  PutText(object, "agentID", status.agent_id);
  PutText(object, "endpoint", status.endpoint);
  PutText(object, "selector", status.selector);
  if (status.restarts != 0) object["restarts"] = status.restarts;
  if (status.workload) {
    object["workload"] = {{"name", status.workload->name},
                          {"uid", status.workload->uid},
                          {"generation", status.workload->generation},
                          {"hash", status.workload->hash}};
  }
  PutTime(object, "registeredTime", status.registered_time);
  PutTime(object, "startedTime", status.started_time);
  PutTime(object, "lastHeartbeatTime", status.last_heartbeat_time);
  if (!status.conditions.empty()) {
    json& conditions = object["conditions"] = json::array();
    for (const Condition& condition : status.conditions)
      conditions.push_back(ConditionToJson(condition));
  }
  if (!status.history.empty()) {
    json& history = object["history"] = json::array();
    for (const HistoryEntry& entry : status.history) history.push_back(HistoryToJson(entry));
  }
  return object;
}

json StatusPatch(const AgentStatus& from, const AgentStatus& to) {
  const json before = StatusToJson(from);
  const json after = StatusToJson(to);
  // A never-reconciled status lacks what StatusToJson always writes: the first patch is the whole.
  const bool first = from.observed_generation < 0;
  json patch = json::object();
  for (const auto& [key, value] : after.items()) {
    const auto old = before.find(key);
    if (first || old == before.end() || *old != value) patch[key] = value;
  }
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key)) patch[key] = nullptr;
  }
  return patch;
}

}  // namespace roster::api
