// The life of the process: what is started in which order, and stopped in which.
//
//   start   probes and metrics are served -> the API server answers -> the CRD is there and new
//   enough -> caches warm
//           -> ready
//   stop    workers finish what they are writing -> events are written -> informers stop
//
// An API server that does not answer is waited for, before as after. A missing or old CRD, a thread
// that throws, and an address that cannot be served end the process.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/crd_check.h"
#include "app/probes.h"
#include "app/settings.h"
#include "app/signals.h"
#include "app/thread_group.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "controller/controller.h"
#include "http/server.h"

namespace roster::app {

/// What App does to the world, so that a test can be the world. wiring.h binds it to the real
/// things. Thread-safe.
struct Steps {
  using ThreadBody = controller::Controller::ThreadBody;

  std::string server;  ///< The API server, for the log.
  std::function<Result<std::unique_ptr<http::Server>>(http::ServerHandler)> serve;
  std::function<Result<std::string>(std::stop_token)> server_version;
  std::function<Result<CrdCheck>(std::stop_token)> check_crd;
  std::function<std::vector<ThreadBody>()> informers;
  std::function<std::vector<ThreadBody>()> workers;
  std::function<ThreadBody()> events;
  std::function<void()> cancel_writes;
  std::function<bool()> synced;
  std::function<std::vector<controller::Controller::WatchHealth>()> watches;
  std::function<size_t()> count_agents;
  std::function<std::string()> metrics;
};

enum ExitCode : int { kExitStopped = 0, kExitFailed = 1, kExitBadConfiguration = 2 };

/// Made, run and destroyed by the main thread.
class App {
 public:
  /// All references outlive the App.
  App(const Settings& settings, Steps steps, Signals& signals, const Clock& clock, Logger log,
      Jitter jitter);

  struct Exit {
    int code = kExitStopped;
    /// The process has to end now, without destructors: a second signal came, or a thread hangs.
    bool at_once = false;
  };
  /// Runs until a signal comes or nothing can go on. Once only.
  Exit Run();

 private:
  struct State {
    std::string waiting_for = "probes and metrics";  ///< Empty once ready.
    bool stopping = false;
    bool failed = false;
  };

  // On the start-up thread.
  void StartUp(std::stop_token stop);
  bool ReachServer(std::stop_token stop);
  bool FindCrd(std::stop_token stop);
  bool WarmCaches(std::stop_token stop);
  void SetWaitingFor(std::string what);

  // On any thread.
  void Fail();
  std::vector<Check> Readiness();
  ThreadGroup::Callbacks GroupCallbacks();

  // On the main thread.
  Exit Stop(std::optional<int> signal);
  /// Waits until `group` has ended, cancelling writes when it is time to. Returns why the process
  /// has to end at once, if it has.
  std::optional<Exit> Await(ThreadGroup& group);

  const Settings& settings_;
  const Steps steps_;
  Signals& signals_;
  const Clock& clock_;
  const Logger log_;
  const Jitter jitter_;

  Guarded<State> state_;
  const Probes probes_;
  MonoTime began_{};
  MonoTime cancel_at_{};
  MonoTime end_at_{};
  bool cancelled_ = false;

  // Destroyed from the last to the first: nobody asks for metrics of what is gone, and threads end
  // before what they use.
  ThreadGroup informers_;
  ThreadGroup events_;
  ThreadGroup workers_;
  ThreadGroup startup_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace roster::app
