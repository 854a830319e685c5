// The state table: what Roster concludes from what it sees. docs/states.md is generated from it,
// and Judge() is held against it for every input there is.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "agents/state_table.h"

namespace roster::agents {

/// A set of values of one fact; all of them unless some are named.
template <class T>
class Any {
 public:
  constexpr Any() = default;
  constexpr Any(T value) : Any({value}) {}
  constexpr Any(std::initializer_list<T> values) : mask_(0) {
    for (const T value : values) mask_ |= Bit(value);
  }
  constexpr bool Has(T value) const { return (mask_ & Bit(value)) != 0; }
  constexpr bool all() const { return mask_ == ~uint32_t{0}; }

 private:
  static constexpr uint32_t Bit(T value) { return uint32_t{1} << static_cast<uint32_t>(value); }
  uint32_t mask_ = ~uint32_t{0};
};

/// The inputs that a row is about. Trouble::kTerminal includes an unusable pod template, see
/// Seen().
struct When {
  Any<Kind> kind = {};
  Any<bool> deleting = {};
  Any<Refusal> refusal = {};
  Any<api::DesiredState> desired = {};
  Any<bool> not_started = {};
  Any<bool> zero_wanted = {};
  Any<bool> was_up = {};
  Any<bool> service_blocked = {};
  Any<bool> pending = {};
  Any<Pods> pods = {};
  Any<Trouble> trouble = {};
  Any<Beat> beat = {};
  Any<Report> report = {};
  /// Only in the table of Available, which follows from these two.
  Any<api::AgentState> state = {};
  Any<api::Health> health = {};
};

/// A condition's status and reason; absent by default.
using Cell = ConditionVerdict;
/// Stands for the reason of the condition Healthy.
inline constexpr std::string_view kReasonOfHealthy = "=";

/// What stands beside Ready while it is False.
enum class Beside : uint8_t { kNothing, kReconciling, kStalled };

/// In each table the first row that fits decides. Names are stable: scripts and issues may cite
/// them.
struct StateRow {
  std::string_view name;
  When when;
  api::AgentState state;
  Cell workload_available;
};
struct ReadyRow {
  std::string_view name;
  When when;
  Cell ready;
  Beside beside;
};
struct HealthRow {
  std::string_view name;
  When when;
  api::Health health;
  Cell healthy;
};
struct ConditionRow {
  std::string_view name;
  When when;
  Cell condition;
};

std::span<const StateRow> StateRows();
std::span<const ReadyRow> ReadyRows();
std::span<const HealthRow> HealthRows();
std::span<const ConditionRow> AvailableRows();
std::span<const ConditionRow> AcceptedRows();
std::span<const ConditionRow> HeartbeatFreshRows();

/// What stands in the way of pods, by the reason that says so.
struct TroubleRow {
  std::string_view reason;
  std::string_view meaning;
  Trouble trouble;
};
/// Reasons of pods, as Kubernetes gives them.
std::span<const TroubleRow> PodTroubles();

/// Words of a Deployment's ReplicaFailure, and what Roster makes of them.
struct FailureRow {
  std::string_view message;
  std::string_view meaning;
  std::string_view reason;
  Trouble trouble;
};
std::span<const FailureRow> ReplicaFailures();

/// Facts as the tables see them.
Facts Seen(Facts facts);
bool Fits(const When& when, const Facts& facts, api::AgentState state = api::AgentState::kUnset,
          api::Health health = api::Health::kUnset);

/// docs/states.md.
std::string StateDocument();

}  // namespace roster::agents
