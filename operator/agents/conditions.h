// From a verdict to the status that is written: words for every condition, transition times,
// history, Events.
#pragma once

#include <string>
#include <vector>

#include "agents/facts.h"
#include "agents/observed.h"
#include "agents/state_table.h"
#include "api/agent.h"
#include "base/clock.h"

namespace roster::agents {

/// An Event to tell: a transition, once.
struct EventNote {
  bool warning = false;
  std::string reason;
  std::string note;
  friend bool operator==(const EventNote&, const EventNote&) = default;
};

/// The whole status. lastTransitionTime moves only where a condition's status flips; startedTime
/// and the history follow the state; status.workload is left as it is.
api::AgentStatus MakeStatus(const Observed& observed, const FactsAndWords& gathered,
                            const Verdict& verdict, WallTime now);

/// What changed between two statuses that a person would want to be told.
std::vector<EventNote> MakeEvents(const api::AgentStatus& before, const api::AgentStatus& after);

}  // namespace roster::agents
