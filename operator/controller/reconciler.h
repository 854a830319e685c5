// Makes one Agent true: observe → plan → apply → plan again, until nothing is left to do; then the
// status. Holds no policy: what is right is decided in agents/.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <unordered_map>

#include "agents/plan.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "controller/child_writer.h"
#include "controller/event_recorder.h"
#include "controller/observer.h"
#include "controller/write_tracker.h"
#include "kube/client.h"
#include "store/agent_store.h"

namespace roster::controller {

/// The stores that a reconcile reads.
struct Caches {
  const store::AgentStore& agents;
  const store::DeploymentStore& deployments;
  const store::ServiceStore& services;
  const store::PodStore& pods;
};

/// Thread-safe, as long as no key is reconciled by two threads at once (WorkQueue sees to that).
class Reconciler {
 public:
  struct Outcome {
    ReconcileResult result = ReconcileResult::kSuccess;
    std::optional<std::chrono::milliseconds> after;  ///< With kRequeueAfter.
  };

  Reconciler(kube::Client& client, Caches caches, WriteTracker& writes, EventRecorder& events,
             const Clock& clock, Logger log, Observer& observer, agents::Settings settings);

  Outcome Reconcile(const api::ObjectKey& key, std::stop_token stop);

 private:
  /// What a child's last refused write came to, so that it is not sent again before something has
  /// changed.
  struct Refusal {
    std::string uid;
    int64_t generation = 0;
    MonoTime again;
    std::optional<agents::WriteProblem> deployment;
    std::optional<agents::WriteProblem> service;
  };

  /// How long to wait for caches that are behind our own writes; nullopt if none is. A cache that
  /// stays behind is read live into `observed`.
  Result<std::optional<std::chrono::milliseconds>> AwaitOwnWrites(agents::Observed& observed,
                                                                  std::stop_token stop);
  Status ReadLive(const WriteTracker::Pending& pending, agents::Observed& observed,
                  std::stop_token stop);
  bool CacheHas(const api::ObjectKey& key, const WriteTracker::Pending& pending) const;
  void Observe(agents::Observed& observed) const;
  Status RecallRefusals(agents::Observed& observed, std::stop_token stop);
  void RememberRefusals(const agents::Observed& observed);
  Status Act(agents::Observed& observed, agents::PlanResult& plan, std::stop_token stop);
  Status WriteStatus(const api::Agent& agent, const agents::PlanResult& plan, std::stop_token stop);
  void Tell(const api::Agent& agent, const agents::PlanResult& plan);
  Outcome Failed(const api::ObjectKey& key, const Error& error);

  kube::Client& client_;
  const Caches caches_;
  WriteTracker& writes_;
  EventRecorder& events_;
  const Clock& clock_;
  Logger log_;
  Observer& observer_;
  const agents::Settings settings_;
  ChildWriter children_;
  Guarded<std::unordered_map<api::ObjectKey, Refusal>> refusals_;
};

}  // namespace roster::controller
