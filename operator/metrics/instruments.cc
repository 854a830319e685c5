#include "metrics/instruments.h"

#include <vector>

#include "metrics/agent_series.h"

namespace roster::metrics {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using Buckets = Histogram::BucketBoundaries;

constexpr std::array<std::string_view, 10> kFromStates{
    kNone,      "Created", "Starting", "Running", "Paused",
    "Stopping", "Stopped", "Failed",   "Lost",    "Terminating"};
constexpr std::array<std::string_view, 9> kToStates{"Created", "Starting", "Running",
                                                    "Paused",  "Stopping", "Stopped",
                                                    "Failed",  "Lost",     "Terminating"};
constexpr std::array<std::string_view, 4> kResources{"agents", "deployments", "services", "pods"};
constexpr std::array<std::string_view, 6> kRestartReasons{"ended",   "error",        "expired",
                                                          "silence", "server_error", "rewound"};
constexpr std::array<std::string_view, 1> kNoColumn{""};
constexpr std::array<std::string_view, 6> kMethodNames{"GET",   "POST",   "PUT",
                                                       "PATCH", "DELETE", kOther};

/// The verbs that kube::Client reports say more than HTTP does; dashboards know HTTP's methods.
std::string_view HttpMethod(std::string_view verb) {
  if (verb == "LIST" || verb == "WATCH") return "GET";
  return verb == "APPLY" ? "PATCH" : verb;
}

/// The buckets that controller-runtime and client-go have, so that dashboards made for them fit.
Buckets ReconcileBuckets() {
  return {0.005, 0.01, 0.025, 0.05, 0.1,  0.15, 0.2,  0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6,
          0.7,   0.8,  0.9,   1.0,  1.25, 1.5,  1.75, 2.0,  2.5, 3.0,  3.5, 4.0,  4.5, 5,
          6,     7,    8,     9,    10,   15,   20,   25,   30,  40,   50,  60};
}
Buckets QueueBuckets() {
  return {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000};
}
Buckets RequestBuckets() {
  return {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
}
/// From a pod that is there already to an image that takes half an hour to pull.
Buckets ReadyBuckets() {
  return {0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800};
}

const Labels& Controller() {
  static const Labels labels{{"controller", "agent"}};
  return labels;
}
const Labels& Queue() {
  static const Labels labels{{"name", "agent"}, {"controller", "agent"}};
  return labels;
}

prometheus::Family<Counter>& Counters(prometheus::Registry& registry, const char* name,
                                      const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Family<Gauge>& Gauges(prometheus::Registry& registry, const char* name,
                                  const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<Histogram>& Histograms(prometheus::Registry& registry, const char* name,
                                          const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

std::array<Counter*, 4> ReconcileCounters(prometheus::Registry& registry) {
  auto& family = Counters(registry, "controller_runtime_reconcile_total",
                          "Total number of reconciliations per controller");
  std::array<Counter*, 4> counters{};
  size_t i = 0;
  for (const char* result : {"success", "requeue", "requeue_after", "error"}) {
    Labels labels = Controller();
    labels.emplace("result", result);
    counters[i++] = &family.Add(labels);
  }
  return counters;
}

prometheus::Family<Counter>& DroppedFamily(prometheus::Registry& registry) {
  return Counters(registry, "roster_metrics_dropped_total",
                  "What scrapes left out, or summed up under _other, because a limit on series "
                  "was reached; each scrape counts it again.");
}

}  // namespace

Instruments::Instruments(const Options& options)
    : reconciles(ReconcileCounters(registry)),
      reconcile_errors(Counters(registry, "controller_runtime_reconcile_errors_total",
                                "Total number of reconciliation errors per controller")
                           .Add(Controller())),
      reconcile_panics(Counters(registry, "controller_runtime_reconcile_panics_total",
                                "Total number of reconciliation panics per controller")
                           .Add(Controller())),
      reconcile_time(Histograms(registry, "controller_runtime_reconcile_time_seconds",
                                "Length of time per reconciliation per controller")
                         .Add(Controller(), ReconcileBuckets())),
      active_workers(Gauges(registry, "controller_runtime_active_workers",
                            "Number of currently used workers per controller")
                         .Add(Controller())),
      queue_adds(
          Counters(registry, "workqueue_adds_total", "Total number of adds handled by workqueue")
              .Add(Queue())),
      queue_retries(Counters(registry, "workqueue_retries_total",
                             "Total number of retries handled by workqueue")
                        .Add(Queue())),
      queue_wait(Histograms(registry, "workqueue_queue_duration_seconds",
                            "How long in seconds an item stays in workqueue before being "
                            "requested")
                     .Add(Queue(), QueueBuckets())),
      queue_work(Histograms(registry, "workqueue_work_duration_seconds",
                            "How long in seconds processing an item from workqueue takes.")
                     .Add(Queue(), QueueBuckets())),
      queue_depth(Gauges(registry, "workqueue_depth", "Current depth of workqueue").Add(Queue())),
      queue_unfinished(Gauges(registry, "workqueue_unfinished_work_seconds",
                              "How many seconds of work is in progress and has not been observed "
                              "by work_duration. Large values mean stuck threads; the rate at "
                              "which this grows is their number.")
                           .Add(Queue())),
      queue_longest(Gauges(registry, "workqueue_longest_running_processor_seconds",
                           "How many seconds has the longest running processor for workqueue "
                           "been running.")
                        .Add(Queue())),
      transitions(Counters(registry, "roster_state_transitions_total",
                           "Changes of an Agent's state that were written to its status."),
                  "from", kFromStates, "to", kToStates),
      status_writes(Histograms(registry, "roster_status_write_duration_seconds",
                               "Time that a write of an Agent's status took.")
                        .Add({}, RequestBuckets())),
      cache_hits(
          Counters(registry, "roster_cache_hits_total", "Reads that the local cache answered.")
              .Add({})),
      cache_misses(Counters(registry, "roster_cache_misses_total",
                            "Reads that found nothing in the local cache.")
                       .Add({})),
      cache_lagged(Counters(registry, "roster_cache_lagged_total",
                            "Writes of Roster that did not come back through the watch in time, "
                            "so that the object was read from the API server.")
                       .Add({})),
      watch_restarts(Counters(registry, "roster_watch_restarts_total",
                              "Watches that were begun again, by why the one before ended."),
                     "resource", kResources, "reason", kRestartReasons),
      relists(Counters(registry, "roster_relists_total",
                       "Full lists that replaced a cache after its first."),
              "resource", kResources, "", kNoColumn),
      malformed(Counters(registry, "roster_objects_malformed_total",
                         "Objects from the API server that could not be understood and were "
                         "passed over."),
                "resource", kResources, "", kNoColumn),
      events_dropped(Counters(registry, "roster_events_dropped_total",
                              "Kubernetes Events that were not written: over the cap, or refused.")
                         .Add({})),
      dropped_agents(DroppedFamily(registry).Add({{"limit", "agents"}})),
      dropped_namespaces(DroppedFamily(registry).Add({{"limit", "namespaces"}})),
      dropped_types(DroppedFamily(registry).Add({{"limit", "types"}})),
      api_host_(options.api_host),
      requests_(Counters(registry, "rest_client_requests_total",
                         "Number of HTTP requests, partitioned by status code, method, and host.")),
      ready_(Histograms(registry, "roster_time_to_ready_seconds",
                        "Time from an Agent's creation until it was first Available.")),
      ready_types_(options.max_types) {
  Gauges(registry, "controller_runtime_max_concurrent_reconciles",
         "Maximum number of concurrent reconciles per controller")
      .Add(Controller())
      .Set(options.workers);
  Gauges(registry, "roster_build_info", "Which build of Roster this is; always 1.")
      .Add({{"version", options.version}, {"commit", options.commit}})
      .Set(1);
  auto& durations = Histograms(registry, "rest_client_request_duration_seconds",
                               "Request latency in seconds. Broken down by verb, and host.");
  for (size_t i = 0; i < kMethods; ++i) {
    request_durations_[i] = &durations.Add(
        {{"verb", std::string(kMethodNames[i])}, {"host", api_host_}}, RequestBuckets());
  }
}

void Instruments::RequestDone(std::string_view verb, int code, double seconds) {
  const std::string_view method = HttpMethod(verb);
  size_t row = 0;
  while (row + 1 < kMethods && kMethodNames[row] != method) ++row;
  // A watch lasts as long as it is let: that is no latency.
  if (verb != "WATCH") request_durations_[row]->Observe(seconds);
  // No status, or one that no server may send, is what client-go counts as "<error>".
  const size_t column =
      code >= 100 && code < static_cast<int>(kCodes) ? static_cast<size_t>(code) : 0;
  std::atomic<Counter*>& slot = request_counters_[row][column];
  Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    // Two threads may come here at once: Add gives both the same counter.
    counter = &requests_.Add({{"code", column == 0 ? "<error>" : std::to_string(column)},
                              {"method", std::string(kMethodNames[row])},
                              {"host", api_host_}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Increment();
}

void Instruments::BecameReady(std::string_view type, double seconds) {
  // Once or a few times in an Agent's life: a look-up by label is cheap enough here.
  if (!ready_types_.Lock()->Admit(type)) {
    dropped_types.Increment();
    type = kOther;
  }
  ready_.Add({{"type", std::string(type)}}, ReadyBuckets()).Observe(seconds);
}

}  // namespace roster::metrics
