// What the controller tells about itself while it works. Metrics implement it; nothing here steers
// anything.
#pragma once

#include <chrono>
#include <string_view>

namespace roster::controller {

enum class ReconcileResult { kSuccess, kRequeue, kRequeueAfter, kError };

/// Called from informer, worker and event threads: implementations are thread-safe and quick.
class Observer {
 public:
  using Duration = std::chrono::nanoseconds;
  virtual ~Observer() = default;

  // Work queue
  virtual void QueueAdded() {}
  virtual void QueueRetried() {}
  /// How long a key waited before a worker took it.
  virtual void QueueWaited(Duration) {}
  /// How long a worker held a key.
  virtual void QueueWorked(Duration) {}

  // Reconciles
  virtual void Reconciled(ReconcileResult, Duration) {}
  virtual void ReconcilePanicked() {}
  virtual void WorkerBusy(bool) {}  ///< A worker began or ended a reconcile.

  // Informers; `resource` is the plural name, `reason` a word of a closed set
  // (ended, error, expired, silence, server_error, rewound).
  virtual void WatchRestarted(std::string_view /*resource*/, std::string_view /*reason*/) {}
  /// A list that replaced what an earlier one had brought.
  virtual void Relisted(std::string_view /*resource*/) {}
  virtual void ObjectMalformed(std::string_view /*resource*/) {}

  // Agents
  virtual void StateChanged(std::string_view /*from*/, std::string_view /*to*/) {}
  /// From the Agent's creation to its first Available=True.
  virtual void BecameReady(std::string_view /*agent_type*/, Duration) {}
  virtual void StatusWritten(Duration) {}

  // The cache
  virtual void CacheHit() {}
  virtual void CacheMiss() {}
  /// A write of ours did not come back through the watch in time, and was read from the server
  /// instead.
  virtual void CacheLagged() {}

  // Events (the API objects) that were not written: over the cap, or refused.
  virtual void EventDropped() {}
};

}  // namespace roster::controller
