#include "app/app.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/duration.h"
#include "metrics/metrics.h"

namespace roster::app {
namespace {

using std::chrono::milliseconds;

/// Of the time that a stop may take, what is kept for the end: after it was cancelled, a write
/// still has to return.
milliseconds ReserveOf(milliseconds timeout) {
  return std::min(timeout / 5, milliseconds(1'000));
}

constexpr milliseconds kSyncPoll{20};
constexpr std::chrono::seconds kSyncPatience{10};  ///< Between warnings that caches are not warm.

double SecondsOf(MonoClock::duration duration) {
  return static_cast<double>(std::chrono::floor<milliseconds>(duration).count()) / 1e3;
}

}  // namespace

App::App(const Settings& settings, Steps steps, Signals& signals, const Clock& clock, Logger log,
         Jitter jitter)
    : settings_(settings),
      steps_(std::move(steps)),
      signals_(signals),
      clock_(clock),
      log_(std::move(log)),
      jitter_(std::move(jitter)),
      probes_({[this] { return Readiness(); }, steps_.metrics, metrics::kContentType}),
      informers_(GroupCallbacks()),
      events_(GroupCallbacks()),
      workers_(GroupCallbacks()),
      startup_(GroupCallbacks(), /*may_end=*/true) {}

ThreadGroup::Callbacks App::GroupCallbacks() {
  return {[this] { signals_.Wake(); },
          [this](const std::string& thread, const std::string& what) {
            log_.Error("a thread failed, which is a bug; stopping",
                       {{"thread", thread}, {"error", what}});
            Fail();
          }};
}

App::Exit App::Run() {
  began_ = clock_.Mono();
  auto server =
      steps_.serve([this](const http::ServerRequest& request) { return probes_.Handle(request); });
  if (!server.ok()) {
    log_.Error("cannot serve probes and metrics",
               {{"address", settings_.metrics_address},
                {"error", server.error().message},
                {"mend", "free the address, or choose another one with --metrics-address"}});
    return {server.error().kind == ErrorKind::kInvalid ? kExitBadConfiguration : kExitFailed,
            false};
  }
  server_ = std::move(*server);
  log_.Info("serving probes and metrics",
            {{"address", settings_.metrics_address}, {"port", server_->port()}});
  SetWaitingFor("the API server");
  startup_.Start("startup", [this](std::stop_token stop) { StartUp(std::move(stop)); });
  for (;;) {
    if (const int signal = signals_.Wait(MonoTime::max()); signal != 0) return Stop(signal);
    if (state_.Lock()->failed) return Stop(std::nullopt);
  }
}

void App::StartUp(std::stop_token stop) {
  if (!ReachServer(stop) || !FindCrd(stop) || !WarmCaches(stop)) return;
  const Steps::ThreadBody events = steps_.events();
  events_.Start(events.name, events.run);
  for (const Steps::ThreadBody& worker : steps_.workers()) workers_.Start(worker.name, worker.run);
  SetWaitingFor("");
  log_.Info("ready",
            {{"workers", settings_.workers}, {"seconds", SecondsOf(clock_.Mono() - began_)}});
}

bool App::ReachServer(std::stop_token stop) {
  Backoff backoff({}, jitter_);
  for (;;) {
    const Result<std::string> version = steps_.server_version(stop);
    if (stop.stop_requested()) return false;
    if (version.ok()) {
      log_.Info("API server answers", {{"server", steps_.server}, {"version", *version}});
      return true;
    }
    // Also when it does not know us: credentials are rotated, and rights are given, while we wait.
    const Error& error = version.error();
    const auto delay =
        std::max<milliseconds>(backoff.Next(), error.retry_after.value_or(std::chrono::seconds(0)));
    SetWaitingFor(fmt::format("the API server at {}: {}", steps_.server, error.message));
    log_.Warn("API server does not answer; trying again", {{"server", steps_.server},
                                                           {"reason", ToString(error.kind)},
                                                           {"error", error.message},
                                                           {"attempt", backoff.attempts()},
                                                           {"retry_in_ms", delay.count()}});
    if (!clock_.SleepFor(delay, stop)) return false;
  }
}

bool App::FindCrd(std::stop_token stop) {
  SetWaitingFor(fmt::format("the CRD {}", kCrdName));
  Backoff backoff({}, jitter_);
  for (;;) {
    const Result<CrdCheck> crd = steps_.check_crd(stop);
    if (stop.stop_requested()) return false;
    if (crd.ok()) {
      log_.Info("CRD is there", {{"crd", kCrdName}, {"schema_checked", *crd == CrdCheck::kGood}});
      return true;
    }
    const Error& error = crd.error();
    SetWaitingFor(fmt::format("the CRD {}: {}", kCrdName, error.message));
    if (error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kInvalid) {
      log_.Error("CRD cannot be used; stopping",
                 {{"crd", kCrdName}, {"error", error.message}, {"mend", kCrdMend}});
      Fail();
      return false;
    }
    const auto delay =
        std::max<milliseconds>(backoff.Next(), error.retry_after.value_or(std::chrono::seconds(0)));
    log_.Warn("CRD cannot be checked; trying again", {{"crd", kCrdName},
                                                      {"reason", ToString(error.kind)},
                                                      {"error", error.message},
                                                      {"attempt", backoff.attempts()},
                                                      {"retry_in_ms", delay.count()}});
    if (!clock_.SleepFor(delay, stop)) return false;
  }
}

bool App::WarmCaches(std::stop_token stop) {
  SetWaitingFor("caches to be warm");
  const MonoTime began = clock_.Mono();
  for (const Steps::ThreadBody& informer : steps_.informers())
    informers_.Start(informer.name, informer.run);
  MonoTime warn_at = began + kSyncPatience;
  while (!steps_.synced()) {
    if (!clock_.SleepFor(kSyncPoll, stop)) return false;
    if (clock_.Mono() < warn_at) continue;
    warn_at = clock_.Mono() + kSyncPatience;
    for (const auto& watch : steps_.watches()) {
      if (watch.synced) continue;
      log_.Warn("cache is not warm yet",
                {{"resource", watch.resource},
                 {"error", watch.error ? watch.error->message : "none so far"}});
    }
  }
  log_.Info("caches are warm",
            {{"agents", steps_.count_agents()}, {"seconds", SecondsOf(clock_.Mono() - began)}});
  return true;
}

void App::SetWaitingFor(std::string what) {
  state_.Lock()->waiting_for = std::move(what);
}

void App::Fail() {
  state_.Lock()->failed = true;
  signals_.Wake();
}

std::vector<Check> App::Readiness() {
  std::vector<Check> checks{{"ping", std::nullopt}};
  {
    auto state = state_.Lock();
    const bool waits = !state->waiting_for.empty();
    checks.push_back(
        {"startup", waits ? std::optional("waiting for " + state->waiting_for) : std::nullopt});
    checks.push_back({"shutdown", state->stopping
                                      ? std::optional<std::string>("the process is stopping")
                                      : std::nullopt});
  }
  for (const auto& watch : steps_.watches()) {
    checks.push_back({"cache-" + watch.resource,
                      watch.synced ? std::nullopt : std::optional<std::string>("not listed yet")});
    // An outage of the API server is none of the operator: a restart would not mend it.
    checks.push_back({"watch-" + watch.resource,
                      watch.error ? std::optional(watch.error->message) : std::nullopt, false});
  }
  return checks;
}

App::Exit App::Stop(std::optional<int> signal) {
  const MonoTime began = clock_.Mono();
  end_at_ = began + settings_.shutdown_timeout;
  cancel_at_ = end_at_ - ReserveOf(settings_.shutdown_timeout);
  state_.Lock()->stopping = true;
  if (signal) {
    log_.Info("stopping", {{"signal", SignalName(*signal)},
                           {"timeout", FormatDuration(settings_.shutdown_timeout)}});
  }
  // Start-up first: until it has ended, it may start others.
  struct Stage {
    ThreadGroup& group;
    std::string_view done;
  };
  for (const Stage& stage :
       {Stage{startup_, ""}, Stage{workers_, "workers stopped"}, Stage{events_, "events written"},
        Stage{informers_, "informers stopped"}}) {
    stage.group.RequestStop();
    if (const auto exit = Await(stage.group)) return *exit;
    if (!stage.done.empty()) log_.Info(stage.done);
  }
  const bool failed = state_.Lock()->failed;
  log_.Info("stopped", {{"seconds", SecondsOf(clock_.Mono() - began)}});
  return {failed ? kExitFailed : kExitStopped, false};
}

std::optional<App::Exit> App::Await(ThreadGroup& group) {
  for (;;) {
    const std::vector<std::string> running = group.Running();
    if (running.empty()) return std::nullopt;
    if (!cancelled_ && clock_.Mono() >= cancel_at_) {
      log_.Warn("time is nearly up; cancelling what is still under way",
                {{"threads", fmt::format("{}", fmt::join(running, ","))}});
      steps_.cancel_writes();
      cancelled_ = true;
    }
    if (clock_.Mono() >= end_at_) {
      log_.Error("threads did not stop in time",
                 {{"threads", fmt::format("{}", fmt::join(running, ","))}});
      return Exit{kExitFailed, true};
    }
    if (const int signal = signals_.Wait(cancelled_ ? end_at_ : cancel_at_); signal != 0) {
      log_.Warn("second signal; ending at once", {{"signal", SignalName(signal)}});
      return Exit{128 + signal, true};
    }
  }
}

}  // namespace roster::app
