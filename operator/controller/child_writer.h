// Carries out the actions of a plan: one write each, and what it came to put back into what is
// observed.
#pragma once

#include <stop_token>

#include "agents/observed.h"
#include "agents/plan.h"
#include "base/result.h"
#include "controller/write_tracker.h"
#include "kube/client.h"

namespace roster::controller {

/// True if the object is this Agent's: its controller owner, or, where somebody stripped that, its
/// label says so.
bool BelongsTo(const api::Child& child, const api::Agent& agent);
/// True if it is what an earlier Agent of the same name left behind, which the garbage collector is
/// about to remove.
bool BelongsToPredecessor(const api::Child& child, const api::Agent& agent);

/// Thread-safe: holds nothing of its own.
class ChildWriter {
 public:
  ChildWriter(kube::Client& client, WriteTracker& writes) : client_(client), writes_(writes) {}

  /// Does `action` and updates `observed` with the outcome: the child as it is now, or the problem
  /// to show. Errors: what says nothing about the Agent and wants a new reconcile (conflict, no
  /// connection, throttling).
  Status Execute(const agents::Action& action, agents::Observed& observed, std::stop_token stop);

  /// Reads a child whose name was taken by somebody else: the problem goes if the object did.
  Status Recheck(agents::ChildKind child, agents::Observed& observed, std::stop_token stop);

 private:
  Status Create(const agents::Action& action, agents::Observed& observed, std::stop_token stop);
  Status Apply(const agents::Action& action, agents::Observed& observed, std::stop_token stop);
  Status Delete(const agents::Action& action, agents::Observed& observed, std::stop_token stop);
  Status ReadTaken(agents::ChildKind child, agents::Observed& observed, std::stop_token stop);
  /// Parses the child and puts it into `observed`; `written` if this process wrote it just now.
  Status Take(agents::ChildKind child, const nlohmann::json& object, agents::Observed& observed,
              bool written);

  kube::Client& client_;
  WriteTracker& writes_;
};

}  // namespace roster::controller
