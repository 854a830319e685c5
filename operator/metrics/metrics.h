// All that Prometheus can ask of the operator. Metrics observe and never steer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "controller/observer.h"
#include "controller/work_queue.h"
#include "store/agent_store.h"

namespace roster::metrics {

/// Content-Type of Render's text.
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Thread-safe. Every metric is described in docs/metrics.md.
class Metrics final : public controller::Observer {
 public:
  struct Options {
    std::string version;
    std::string commit;
    std::string api_host;  ///< "host:port" of the API server, the label `host` of rest_client_*.
    int workers = 0;
    size_t max_agents = 10'000;  ///< Agents with series of their own.
    size_t max_namespaces =
        500;  ///< Values of the label `namespace`; the surplus is summed under `_other`.
    size_t max_types = 100;  ///< Values of the label `type`, likewise.
    std::string proc = "/proc";
  };

  explicit Metrics(Options options);
  ~Metrics() override;

  /// What is read at each scrape. Both outlive the last Render.
  void SetSources(const store::AgentStore& agents,
                  std::function<controller::WorkQueue::Stats()> queue);

  /// The answer to GET /metrics.
  std::string Render();

  /// A request to the API server ended; `code` 0 if there was no answer.
  void RequestDone(std::string_view verb, int code, Duration duration);

  void QueueAdded() override;
  void QueueRetried() override;
  void QueueWaited(Duration duration) override;
  void QueueWorked(Duration duration) override;
  void Reconciled(controller::ReconcileResult result, Duration duration) override;
  void ReconcilePanicked() override;
  void WorkerBusy(bool busy) override;
  void WatchRestarted(std::string_view resource, std::string_view reason) override;
  void Relisted(std::string_view resource) override;
  void ObjectMalformed(std::string_view resource) override;
  void StateChanged(std::string_view from, std::string_view to) override;
  void BecameReady(std::string_view agent_type, Duration duration) override;
  void StatusWritten(Duration duration) override;
  void CacheHit() override;
  void CacheMiss() override;
  void CacheLagged() override;
  void EventDropped() override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace roster::metrics
