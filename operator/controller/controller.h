// The loop, put together: informers fill the stores and add keys, workers reconcile them. Owns no
// thread: app/ runs the bodies that it lists, and a test steps them by hand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/plan.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "controller/event_recorder.h"
#include "controller/informer.h"
#include "controller/observer.h"
#include "controller/reconciler.h"
#include "controller/work_queue.h"
#include "controller/write_tracker.h"
#include "kube/client.h"
#include "store/agent_store.h"

namespace roster::controller {

struct ControllerOptions {
  std::vector<std::string> namespaces;  ///< To watch; empty: all.
  int workers = 16;
  std::chrono::milliseconds resync_interval = std::chrono::hours(10);  ///< ± 10 %.
  agents::Settings plan;
  WorkQueue::Options queue;
};

/// Thread-safe after construction.
class Controller {
 public:
  /// All references outlive the Controller.
  Controller(kube::Client& client, const Clock& clock, Logger log, Observer& observer,
             Jitter jitter, ControllerOptions options);

  /// What app/ gives a thread each: returns soon after its token is triggered.
  struct ThreadBody {
    std::string name;
    std::function<void(std::stop_token)> run;
  };
  std::vector<ThreadBody> InformerThreads();
  /// To be started once synced(); stopped before the informers. When stopped, a worker first
  /// finishes the reconcile it is in; CancelWrites cuts that short.
  std::vector<ThreadBody> WorkerThreads();
  /// Writes Events; stopped after the workers, and then still writes what is queued, unless
  /// CancelWrites.
  ThreadBody EventThread();

  /// Ends requests of workers and of the event thread that are under way, for a stop that must not
  /// wait any longer.
  void CancelWrites() { hard_stop_.request_stop(); }

  /// Every cache holds what its first list said.
  bool synced() const;

  /// The state of one watched resource, for /readyz.
  struct WatchHealth {
    std::string resource;  ///< Plural name, "/namespace" behind it when only some are watched.
    bool synced = false;
    /// The last list or watch error, until a later one succeeds.
    std::optional<Error> error;
  };
  std::vector<WatchHealth> Watches() const;

  const store::AgentStore& agents() const { return *agents_; }
  WorkQueue& queue() { return queue_; }

  // ---- for tests without threads ----

  /// One step of every informer: a list, or a watch until the server ends it.
  void StepInformers(std::stop_token stop = {});
  /// Reconciles one key if one is ready. False if none was.
  bool StepWorker();
  /// Writes the Events that are queued.
  void StepEvents();

 private:
  void AddInformers();
  void OnAgent(const store::AgentStore::Change& change, Priority priority);
  void OnPod(const store::PodStore::Change& change, Priority priority);
  void Process(const api::ObjectKey& key);
  void RunResync(std::stop_token stop);

  kube::Client& client_;
  const Clock& clock_;
  Logger log_;
  Observer& observer_;
  Jitter jitter_;
  const ControllerOptions options_;
  std::stop_source hard_stop_;

  std::unique_ptr<store::AgentStore> agents_;
  store::DeploymentStore deployments_;
  store::ServiceStore services_;
  std::unique_ptr<store::PodStore> pods_;

  WorkQueue queue_;
  WriteTracker writes_;
  EventRecorder events_;
  Reconciler reconciler_;
  std::vector<std::unique_ptr<Reflection>> reflections_;
  std::vector<std::unique_ptr<Informer>> informers_;
};

}  // namespace roster::controller
