// The decision: from what is observed of one Agent to what is to be done and what is to be said.
// Pure: no client, no clock, no memory. The same input gives the same plan, and once its actions
// have taken effect the plan is empty.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "agents/conditions.h"
#include "agents/observed.h"
#include "api/agent.h"
#include "base/clock.h"

namespace roster::agents {

enum class ChildKind { kDeployment, kService };
enum class ActionKind {
  kCreate,  ///< POST: must not exist.
  kApply,   ///< Server-side apply over the one that was observed.
  kDelete,  ///< The one that was observed.
};

/// One write of one child.
struct Action {
  ActionKind kind;
  ChildKind child;
  nlohmann::json manifest;  ///< The complete intent; null for kDelete.
  std::string_view reason;  ///< api::reason::kCreated, kUpdated, kDriftCorrected or kDeleted.
};

struct PlanResult {
  /// In order: a later one may be left out until the earlier have taken effect, so plan again after
  /// them.
  std::vector<Action> actions;
  /// The status that is true now, before the actions.
  api::AgentStatus status;
  std::vector<EventNote> events;
  /// When to plan again though nothing has happened by then.
  std::optional<std::chrono::milliseconds> look_again;
};

/// How long a refused write waits before it is tried again.
std::chrono::milliseconds RetryAfter(WriteProblem::Kind kind, const Settings& settings);

PlanResult Plan(const Observed& observed, const Settings& settings, WallTime now);

}  // namespace roster::agents
