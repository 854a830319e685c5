// What a plan is made from: one Agent and everything that was seen around it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/agent.h"
#include "api/children.h"

namespace roster::agents {

/// Something that went wrong, in words for the Agent's owner.
struct Problem {
  std::string reason;   ///< CamelCase.
  std::string message;  ///< The server's own words where there are any.
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// What the last attempt to write a child came to, when it failed in a way that the Agent must
/// show.
struct WriteProblem {
  enum class Kind {
    kConflict,   ///< The name is taken by an object that is not Roster's.
    kRefused,    ///< The server will not have this object (422).
    kForbidden,  ///< RBAC, quota or a policy said no (403).
  };
  Kind kind;
  Problem problem;
};

struct Observed {
  std::shared_ptr<const api::Agent> agent;  ///< Never null.
  /// Children that are Roster's, for this very Agent (same uid); null if there are none.
  std::shared_ptr<const api::Deployment> deployment;
  std::shared_ptr<const api::Service> service;
  std::vector<std::shared_ptr<const api::Pod>> pods;
  /// metadata.generation of the Deployment as this very reconcile wrote it, if it did; what the
  /// status records is older.
  std::optional<int64_t> written_generation;
  /// A child of an earlier Agent of the same name is still being removed.
  bool predecessor_remains = false;
  std::optional<WriteProblem> deployment_problem;
  std::optional<WriteProblem> service_problem;
  /// The older Agent that holds the same agentID in this namespace; empty if there is none.
  std::string id_holder;
};

struct Settings {
  /// A pod that crashed counts as ready only after it has been ready for so long; so a crash loop
  /// does not flap.
  std::chrono::seconds settle_time{10};
  /// Largest spec.workload.podTemplate, in bytes of JSON.
  size_t max_pod_template = 32 * 1024;
  /// When to try again what the server refused: a taken name and a 403 may be mended by somebody at
  /// any time, a 422 only by a new spec (which comes as a change of its own) or a changed server.
  std::chrono::milliseconds retry_conflict{10'000};
  std::chrono::milliseconds retry_forbidden{10'000};
  std::chrono::milliseconds retry_refused = std::chrono::minutes(10);
};

}  // namespace roster::agents
