#include "app/wiring.h"

#include <algorithm>
#include <string_view>

#include "app/crd_check.h"
#include "app/version.h"
#include "http/cpprest_transport.h"
#include "http/server.h"
#include "kube/kubeconfig.h"

namespace roster::app {
namespace {

/// "https://host:port" without the scheme.
std::string HostOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find('/')));
}

metrics::Metrics::Options MetricsOptions(const Settings& settings, std::string_view server) {
  metrics::Metrics::Options options;
  options.version = ThisBuild().version;
  options.commit = ThisBuild().commit;
  options.api_host = HostOf(server);
  options.workers = settings.workers;
  options.max_agents = static_cast<size_t>(settings.metrics_max_agents);
  return options;
}

controller::ControllerOptions LoopOptions(const Settings& settings) {
  controller::ControllerOptions options;
  options.namespaces = settings.watch_namespaces;
  options.workers = settings.workers;
  options.resync_interval = settings.resync_interval;
  return options;
}

}  // namespace

Result<std::unique_ptr<Wiring>> Wiring::Make(const Settings& settings, const Clock& clock,
                                             Logger log) {
  auto credentials =
      kube::FindCredentials(settings.kubeconfig, settings.context, kube::ProcessSurroundings());
  if (!credentials.ok()) return credentials.error();
  const std::string server = credentials->server;
  log.Info("credentials found", {{"server", server}, {"source", credentials->source}});
  http::TransportOptions options;
  options.user_agent = UserAgent();
  // A worker never waits for a connection, and neither do events.
  options.connections = settings.workers + 1;
  auto transport = http::MakeCppRestTransport(std::move(*credentials), options, clock);
  if (!transport.ok()) return transport.error();
  return std::make_unique<Wiring>(settings, server, std::move(*transport), clock, std::move(log),
                                  RandomJitter());
}

Wiring::Wiring(const Settings& settings, std::string server,
               std::unique_ptr<kube::Transport> transport, const Clock& clock, Logger log,
               Jitter jitter)
    : settings_(settings),
      server_(std::move(server)),
      log_(std::move(log)),
      transport_(std::move(transport)),
      metrics_(MetricsOptions(settings, server_)),
      client_(*transport_,
              [this](const kube::RequestObservation& request) {
                metrics_.RequestDone(request.method, request.code, request.duration);
              }),
      controller_(client_, clock, log_, metrics_, std::move(jitter), LoopOptions(settings)) {
  metrics_.SetSources(controller_.agents(), [this] { return controller_.queue().stats(); });
}

Steps Wiring::TakeSteps() {
  Steps steps;
  steps.server = server_;
  steps.serve = [this](http::ServerHandler handler) {
    http::ServerOptions options;
    options.address = settings_.metrics_address;
    return http::Server::Start(std::move(options), std::move(handler), log_);
  };
  steps.server_version = [this](std::stop_token stop) {
    return client_.ServerVersion(std::move(stop));
  };
  steps.check_crd = [this](std::stop_token stop) {
    return CheckCrd(client_, settings_.watch_namespaces, std::move(stop));
  };
  steps.informers = [this] { return controller_.InformerThreads(); };
  steps.workers = [this] { return controller_.WorkerThreads(); };
  steps.events = [this] { return controller_.EventThread(); };
  steps.cancel_writes = [this] { controller_.CancelWrites(); };
  steps.synced = [this] { return controller_.synced(); };
  steps.watches = [this] { return controller_.Watches(); };
  steps.count_agents = [this] { return controller_.agents().size(); };
  steps.metrics = [this] { return metrics_.Render(); };
  return steps;
}

}  // namespace roster::app
