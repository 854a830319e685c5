#include "metrics/metrics.h"

#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "metrics/agent_series.h"
#include "metrics/instruments.h"
#include "metrics/process_collector.h"
#include "metrics/text_format.h"

namespace roster::metrics {
namespace {

double Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

struct Metrics::Parts {
  /// One scrape at a time.
  struct Scrape {
    explicit Scrape(AgentSeries::Limits limits) : series(limits) {}
    AgentSeries series;
    const store::AgentStore* agents = nullptr;
    std::function<controller::WorkQueue::Stats()> queue;
  };

  explicit Parts(const Options& options)
      : instruments({options.version, options.commit, options.api_host, options.workers,
                     options.max_types}),
        process(options.proc),
        scrape(AgentSeries::Limits{options.max_agents, options.max_namespaces, options.max_types}) {
  }

  Instruments instruments;
  ProcessCollector process;
  Guarded<Scrape> scrape;
};

Metrics::Metrics(Options options) : parts_(std::make_unique<Parts>(options)) {}
Metrics::~Metrics() = default;

void Metrics::SetSources(const store::AgentStore& agents,
                         std::function<controller::WorkQueue::Stats()> queue) {
  auto scrape = parts_->scrape.Lock();
  scrape->agents = &agents;
  scrape->queue = std::move(queue);
}

std::string Metrics::Render() {
  auto scrape = parts_->scrape.Lock();
  Instruments& instruments = parts_->instruments;
  std::vector<prometheus::MetricFamily> families;
  std::string each_agent;
  if (scrape->queue) {
    const controller::WorkQueue::Stats stats = scrape->queue();
    instruments.queue_depth.Set(static_cast<double>(stats.depth));
    instruments.queue_unfinished.Set(Seconds(stats.unfinished));
    instruments.queue_longest.Set(Seconds(stats.longest_running));
  }
  if (scrape->agents != nullptr) {
    AgentSeries::Dropped dropped;
    families.push_back(scrape->series.Counts(*scrape->agents, dropped));
    scrape->series.AppendEach(*scrape->agents, each_agent, dropped);
    instruments.dropped_agents.Increment(static_cast<double>(dropped.agents));
    instruments.dropped_namespaces.Increment(static_cast<double>(dropped.namespaces));
    instruments.dropped_types.Increment(static_cast<double>(dropped.types));
  }
  for (auto& family : parts_->process.Collect()) families.push_back(std::move(family));
  for (auto& family : instruments.registry.Collect()) families.push_back(std::move(family));
  std::string text = ToText(std::move(families));
  text += each_agent;
  return text;
}

void Metrics::RequestDone(std::string_view verb, int code, Duration duration) {
  parts_->instruments.RequestDone(verb, code, Seconds(duration));
}

void Metrics::QueueAdded() {
  parts_->instruments.queue_adds.Increment();
}
void Metrics::QueueRetried() {
  parts_->instruments.queue_retries.Increment();
}
void Metrics::QueueWaited(Duration duration) {
  parts_->instruments.queue_wait.Observe(Seconds(duration));
}
void Metrics::QueueWorked(Duration duration) {
  parts_->instruments.queue_work.Observe(Seconds(duration));
}

void Metrics::Reconciled(controller::ReconcileResult result, Duration duration) {
  Instruments& instruments = parts_->instruments;
  instruments.reconciles.at(static_cast<size_t>(result))->Increment();
  if (result == controller::ReconcileResult::kError) instruments.reconcile_errors.Increment();
  instruments.reconcile_time.Observe(Seconds(duration));
}
void Metrics::ReconcilePanicked() {
  parts_->instruments.reconcile_panics.Increment();
}
void Metrics::WorkerBusy(bool busy) {
  prometheus::Gauge& active = parts_->instruments.active_workers;
  if (busy) {
    active.Increment();
  } else {
    active.Decrement();
  }
}

void Metrics::WatchRestarted(std::string_view resource, std::string_view reason) {
  parts_->instruments.watch_restarts.Increment(resource, reason);
}
void Metrics::Relisted(std::string_view resource) {
  parts_->instruments.relists.Increment(resource, "");
}
void Metrics::ObjectMalformed(std::string_view resource) {
  parts_->instruments.malformed.Increment(resource, "");
}

void Metrics::StateChanged(std::string_view from, std::string_view to) {
  parts_->instruments.transitions.Increment(from.empty() ? kNone : from, to);
}
void Metrics::BecameReady(std::string_view agent_type, Duration duration) {
  parts_->instruments.BecameReady(agent_type, Seconds(duration));
}
void Metrics::StatusWritten(Duration duration) {
  parts_->instruments.status_writes.Observe(Seconds(duration));
}

void Metrics::CacheHit() {
  parts_->instruments.cache_hits.Increment();
}
void Metrics::CacheMiss() {
  parts_->instruments.cache_misses.Increment();
}
void Metrics::CacheLagged() {
  parts_->instruments.cache_lagged.Increment();
}
void Metrics::EventDropped() {
  parts_->instruments.events_dropped.Increment();
}

}  // namespace roster::metrics
