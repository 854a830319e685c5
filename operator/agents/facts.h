// Reduces what was observed to the facts that the state table judges by, and keeps the words that
// go with them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agents/observed.h"
#include "agents/state_table.h"
#include "base/clock.h"

namespace roster::agents {

struct FactsAndWords {
  Facts facts;
  Problem trouble;          ///< Words for Facts::trouble; empty if there is none.
  Problem refusal;          ///< Words for Facts::refusal.
  Problem service_trouble;  ///< Words for Facts::service_blocked.
  int32_t wanted = 0;
  int32_t ready = 0;     ///< Ready and settled.
  int32_t existing = 0;  ///< Pods that exist and have not ended, those going away included.
  int32_t leaving = 0;   ///< Those of them that are going away.
  int32_t restarts = 0;
  /// When to look again though nothing has happened by then: a pod settles.
  std::optional<std::chrono::milliseconds> look_again;
};

/// How many pods the Agent's spec asks for; 0 when it is stopped.
int32_t WantedReplicas(const api::AgentSpec& spec);

/// True if the Service that the Agent should have, or should no longer have, cannot be written.
bool ServiceBlocked(const Observed& observed);

/// Facts::pending is left to the caller, who knows what is to be written. `invalid_template` is why
/// spec.workload cannot be made into a pod, if it cannot.
FactsAndWords GatherFacts(const Observed& observed, const Settings& settings,
                          const std::optional<std::string>& invalid_template, WallTime now);

}  // namespace roster::agents
