// The Agent resource, agents.agentroster.dev/v1alpha1, as a value. crds/agents.agentroster.dev.yaml
// is the source of every field's meaning and bounds; what the API server has accepted is not
// checked again here.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/result.h"

namespace roster::api {

enum class DesiredState : uint8_t { kRunning, kPaused, kStopped };
enum class HeartbeatPolicy : uint8_t { kRequired, kOptional, kDisabled };
enum class AgentState : uint8_t {
  kUnset,  ///< Never reconciled.
  kCreated,
  kStarting,
  kRunning,
  kPaused,
  kStopping,
  kStopped,
  kFailed,
  kLost,
  kTerminating,
};
enum class Health : uint8_t { kUnset, kHealthy, kDegraded, kUnhealthy, kUnknown };
enum class ConditionStatus : uint8_t { kTrue, kFalse, kUnknown };

std::string_view ToString(DesiredState state);
std::string_view ToString(HeartbeatPolicy policy);
std::string_view ToString(AgentState state);  ///< kUnset is "".
std::string_view ToString(Health health);     ///< kUnset is "".
std::string_view ToString(ConditionStatus status);

struct Skill {
  std::string id;
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  friend bool operator==(const Skill&, const Skill&) = default;
};

/// spec.workload: Kubernetes runs the agent.
struct Workload {
  std::string image;
  std::optional<int32_t> port;
  /// The other fields of spec.workload as one JSON object's text: they are handed on to the pod
  /// template, and text is a tenth of the memory of a parsed tree. Empty if there are none.
  std::string rest;
  friend bool operator==(const Workload&, const Workload&) = default;
};

/// spec.endpoint: the agent lives elsewhere and reports in. All optional.
struct Endpoint {
  std::string host;
  std::optional<int32_t> port;
  std::string scheme = "http";
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Heartbeat {
  HeartbeatPolicy policy = HeartbeatPolicy::kOptional;
  std::chrono::milliseconds interval{15'000};
  std::chrono::milliseconds timeout{30'000};
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

struct AgentSpec {
  std::string type;
  std::string agent_id;  ///< As written; empty means metadata.name.
  std::string display_name;
  std::string description;
  StringMap metadata;
  std::vector<Skill> skills;
  DesiredState desired_state = DesiredState::kRunning;
  std::string restarted_at;  ///< RFC 3339, verbatim; empty if never.
  bool resident = false;
  int32_t replicas = 1;
  std::optional<Workload> workload;  ///< Exactly one of workload and endpoint is set.
  std::optional<Endpoint> endpoint;
  Heartbeat heartbeat;  ///< Policy already defaulted: Required for endpoint, Optional for workload.
};

struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  std::string reason;
  std::string message;
  int64_t observed_generation = 0;
  WallTime last_transition_time{};
  friend bool operator==(const Condition&, const Condition&) = default;
};

/// One change of state. `by` is the HTTP identity that asked for it, where there was one.
struct HistoryEntry {
  WallTime time{};
  std::string from;
  std::string to;
  std::string reason;
  std::string by;
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};
inline constexpr size_t kMaxHistory = 10;

/// status.workload: which Deployment runs the agent, and what Roster last wrote to it.
struct WorkloadRef {
  std::string name;
  std::string uid;
  int64_t generation = 0;  ///< metadata.generation after Roster's last write.
  std::string hash;        ///< Hash of the intent that was written.
  friend bool operator==(const WorkloadRef&, const WorkloadRef&) = default;
};

struct AgentStatus {
  int64_t observed_generation = -1;
  AgentState state = AgentState::kUnset;
  Health health = Health::kUnset;
  std::string agent_id;
  std::string endpoint;  ///< URL, empty if there is none.
  int32_t replicas = 0;
  int32_t ready_replicas = 0;
  std::string selector;
  int32_t restarts = 0;
  std::optional<WorkloadRef> workload;
  std::optional<WallTime> registered_time;  ///< Never reset.
  std::optional<WallTime> started_time;
  std::optional<WallTime> last_heartbeat_time;
  std::vector<Condition> conditions;
  std::vector<HistoryEntry> history;  ///< Newest last, at most kMaxHistory.
  friend bool operator==(const AgentStatus&, const AgentStatus&) = default;

  /// The condition of that type, or nullptr.
  const Condition* FindCondition(std::string_view type) const;
};

struct Agent {
  ObjectMeta meta;
  StringMap labels;
  StringMap annotations;  ///< Only those with the prefix agentroster.dev/.
  AgentSpec spec;
  AgentStatus status;

  /// The flat id that HTTP clients use.
  const std::string& EffectiveId() const {
    return spec.agent_id.empty() ? meta.name : spec.agent_id;
  }
};

/// Errors: kMalformed, naming the object and what is wrong with it.
Result<Agent> ParseAgent(const nlohmann::json& object);

/// The status subresource as the API server stores it.
nlohmann::json StatusToJson(const AgentStatus& status);

/// The merge patch that turns `from` into `to`: changed fields only, arrays whole, null for what is
/// gone. An empty object if nothing changed.
nlohmann::json StatusPatch(const AgentStatus& from, const AgentStatus& to);

}  // namespace roster::api
