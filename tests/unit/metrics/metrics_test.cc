#include "metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "unit/metrics/exposition.h"

namespace roster::metrics {
namespace {

using controller::ReconcileResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

Metrics::Options TestOptions() {
  Metrics::Options options;
  options.version = "1.2.3";
  options.commit = "abc123";
  options.api_host = "127.0.0.1:6443";
  options.workers = 16;
  return options;
}

void PutAgent(store::AgentStore& agents, const std::string& name, bool heartbeat = false) {
  api::Agent agent;
  agent.meta.ns = "ns";
  agent.meta.name = name;
  agent.meta.resource_version = 1;
  agent.spec.type = "research";
  agent.status.state = api::AgentState::kRunning;
  agent.status.health = api::Health::kHealthy;
  if (heartbeat) agent.status.last_heartbeat_time = WallTime(seconds(1'753'000'000));
  agents.Put("", std::make_shared<const api::Agent>(std::move(agent)));
}

/// Calls everything there is, so that every family has a sample.
void Populate(Metrics& metrics, store::AgentStore& agents) {
  PutAgent(agents, "a", true);
  metrics.SetSources(agents, [] {
    return controller::WorkQueue::Stats{3, 2, 1, std::chrono::milliseconds(2500),
                                        milliseconds(1500)};
  });
  metrics.QueueAdded();
  metrics.QueueRetried();
  metrics.QueueWaited(milliseconds(5));
  metrics.QueueWorked(milliseconds(50));
  metrics.WorkerBusy(true);
  metrics.Reconciled(ReconcileResult::kSuccess, milliseconds(30));
  metrics.ReconcilePanicked();
  metrics.WatchRestarted("pods", "silence");
  metrics.Relisted("agents");
  metrics.ObjectMalformed("services");
  metrics.StateChanged("Starting", "Running");
  metrics.BecameReady("research", seconds(7));
  metrics.StatusWritten(milliseconds(20));
  metrics.CacheHit();
  metrics.CacheMiss();
  metrics.CacheLagged();
  metrics.EventDropped();
  metrics.RequestDone("GET", 200, milliseconds(3));
}

TEST(MetricsTest, IsCleanForPromtool) {
  Metrics metrics(TestOptions());
  const auto agents = store::MakeAgentStore();
  Populate(metrics, *agents);
  const LintResult lint = Lint(metrics.Render());
  if (!lint.ran) GTEST_SKIP() << "cannot: promtool is not installed";
  EXPECT_EQ(lint.complaints, "");
}

TEST(MetricsTest, TheLinterWouldComplain) {
  const LintResult lint = Lint("# HELP bad x\n# TYPE bad counter\nbad Nan\n");
  if (!lint.ran) GTEST_SKIP() << "cannot: promtool is not installed";
  EXPECT_NE(lint.complaints, "");
}

/// The words between backquotes.
std::set<std::string> QuotedWords(const std::string& cell) {
  std::set<std::string> words;
  for (size_t open = cell.find('`'); open != std::string::npos;) {
    const size_t close = cell.find('`', open + 1);
    if (close == std::string::npos) break;
    words.insert(cell.substr(open + 1, close - open - 1));
    open = cell.find('`', close + 1);
  }
  return words;
}

// docs/metrics.md lists exactly what there is, with its type and its labels.
TEST(MetricsTest, AreAllDocumented) {
  std::ifstream file(std::string(ROSTER_DOCS_DIR) + "/metrics.md");
  ASSERT_TRUE(file.is_open());
  std::map<std::string, std::pair<std::string, std::set<std::string>>> documented;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 4U) << line;
    EXPECT_GT(cells[3].size(), 10U) << "no meaning: " << line;
    const std::string type = cells[1].substr(1, cells[1].size() - 2);
    EXPECT_TRUE(
        documented.emplace(*QuotedWords(cells[0]).begin(), std::pair(type, QuotedWords(cells[2])))
            .second)
        << "twice: " << line;
  }

  Metrics metrics(TestOptions());
  const auto agents = store::MakeAgentStore();
  Populate(metrics, *agents);
  std::map<std::string, std::pair<std::string, std::set<std::string>>> rendered;
  for (const auto& [name, shape] : ShapesOf(metrics.Render()))
    rendered[name] = {shape.type, shape.labels};
  EXPECT_EQ(documented, rendered);
}

TEST(MetricsTest, EveryFamilyHasHelpAndCountersEndInTotal) {
  Metrics metrics(TestOptions());
  const auto agents = store::MakeAgentStore();
  Populate(metrics, *agents);
  const auto shapes = ShapesOf(metrics.Render());
  EXPECT_GE(shapes.size(), 38U);
  for (const auto& [name, shape] : shapes) {
    EXPECT_GT(shape.help.size(), 10U) << name;
    EXPECT_EQ(shape.type == "counter", name.ends_with("_total")) << name;
  }
}

TEST(MetricsTest, CountsReconcilesByResult) {
  Metrics metrics(TestOptions());
  metrics.Reconciled(ReconcileResult::kSuccess, milliseconds(1));
  metrics.Reconciled(ReconcileResult::kSuccess, milliseconds(1));
  metrics.Reconciled(ReconcileResult::kRequeue, milliseconds(1));
  metrics.Reconciled(ReconcileResult::kError, milliseconds(1));
  metrics.ReconcilePanicked();
  const std::string text = metrics.Render();
  EXPECT_EQ(
      FamilyOf(text, "controller_runtime_reconcile_total"),
      "# HELP controller_runtime_reconcile_total Total number of reconciliations per controller\n"
      "# TYPE controller_runtime_reconcile_total counter\n"
      "controller_runtime_reconcile_total{controller=\"agent\",result=\"error\"} 1\n"
      "controller_runtime_reconcile_total{controller=\"agent\",result=\"requeue\"} 1\n"
      "controller_runtime_reconcile_total{controller=\"agent\",result=\"requeue_after\"} 0\n"
      "controller_runtime_reconcile_total{controller=\"agent\",result=\"success\"} 2\n");
  EXPECT_EQ(LineOf(text, R"(controller_runtime_reconcile_errors_total{controller="agent"})"),
            R"(controller_runtime_reconcile_errors_total{controller="agent"} 1)");
  EXPECT_EQ(LineOf(text, R"(controller_runtime_reconcile_panics_total{controller="agent"})"),
            R"(controller_runtime_reconcile_panics_total{controller="agent"} 1)");
  EXPECT_EQ(LineOf(text, R"(controller_runtime_reconcile_time_seconds_count{controller="agent"})"),
            R"(controller_runtime_reconcile_time_seconds_count{controller="agent"} 4)");
}

TEST(MetricsTest, ShowsBusyWorkersAndHowManyThereAre) {
  Metrics metrics(TestOptions());
  metrics.WorkerBusy(true);
  metrics.WorkerBusy(true);
  metrics.WorkerBusy(false);
  const std::string text = metrics.Render();
  EXPECT_EQ(LineOf(text, R"(controller_runtime_active_workers{controller="agent"})"),
            R"(controller_runtime_active_workers{controller="agent"} 1)");
  EXPECT_EQ(LineOf(text, R"(controller_runtime_max_concurrent_reconciles{controller="agent"})"),
            R"(controller_runtime_max_concurrent_reconciles{controller="agent"} 16)");
}

// Bucket bounds of controller-runtime's work queue: ten-fold steps from 10 ns.
TEST(MetricsTest, TheQueueHasTheBucketsThatDashboardsExpect) {
  Metrics metrics(TestOptions());
  metrics.QueueWaited(milliseconds(50));
  EXPECT_EQ(
      FamilyOf(metrics.Render(), "workqueue_queue_duration_seconds"),
      "# HELP workqueue_queue_duration_seconds How long in seconds an item stays in workqueue "
      "before being "
      "requested\n"
      "# TYPE workqueue_queue_duration_seconds histogram\n"
      "workqueue_queue_duration_seconds_count{controller=\"agent\",name=\"agent\"} 1\n"
      "workqueue_queue_duration_seconds_sum{controller=\"agent\",name=\"agent\"} 0.05\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"1e-08\"} "
      "0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"1e-07\"} "
      "0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"1e-06\"} "
      "0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"1e-05\"} "
      "0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"0.0001\"} "
      "0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"0.001\"} "
      "0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"0.01\"} 0\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"0.1\"} 1\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"1\"} 1\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"10\"} 1\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"100\"} 1\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"1000\"} 1\n"
      "workqueue_queue_duration_seconds_bucket{controller=\"agent\",name=\"agent\",le=\"+Inf\"} "
      "1\n");
}

TEST(MetricsTest, ReadsTheQueueWhenAsked) {
  Metrics metrics(TestOptions());
  const auto agents = store::MakeAgentStore();
  controller::WorkQueue::Stats stats;
  metrics.SetSources(*agents, [&] { return stats; });
  stats.depth = 7;
  stats.unfinished = milliseconds(2500);
  stats.longest_running = milliseconds(1500);
  const std::string text = metrics.Render();
  EXPECT_NE(text.find("workqueue_depth{controller=\"agent\",name=\"agent\"} 7\n"),
            std::string::npos);
  EXPECT_NE(
      text.find("workqueue_unfinished_work_seconds{controller=\"agent\",name=\"agent\"} 2.5\n"),
      std::string::npos);
  EXPECT_NE(
      text.find(
          "workqueue_longest_running_processor_seconds{controller=\"agent\",name=\"agent\"} 1.5\n"),
      std::string::npos);
}

TEST(MetricsTest, CountsRequestsByCodeMethodAndHost) {
  Metrics metrics(TestOptions());
  metrics.RequestDone("GET", 200, milliseconds(3));
  metrics.RequestDone("GET", 200, milliseconds(3));
  metrics.RequestDone("PATCH", 409, milliseconds(3));
  metrics.RequestDone("POST", 0, milliseconds(3));
  metrics.RequestDone("POST", 100'000, milliseconds(3));
  metrics.RequestDone("BREW", 200, milliseconds(3));
  const std::string text = metrics.Render();
  EXPECT_EQ(
      FamilyOf(text, "rest_client_requests_total"),
      "# HELP rest_client_requests_total Number of HTTP requests, partitioned by status code, "
      "method, and "
      "host.\n"
      "# TYPE rest_client_requests_total counter\n"
      "rest_client_requests_total{code=\"200\",host=\"127.0.0.1:6443\",method=\"GET\"} 2\n"
      "rest_client_requests_total{code=\"200\",host=\"127.0.0.1:6443\",method=\"_other\"} 1\n"
      "rest_client_requests_total{code=\"409\",host=\"127.0.0.1:6443\",method=\"PATCH\"} 1\n"
      "rest_client_requests_total{code=\"<error>\",host=\"127.0.0.1:6443\",method=\"POST\"} 2\n");
  EXPECT_NE(
      LineOf(text,
             R"(rest_client_request_duration_seconds_count{host="127.0.0.1:6443",verb="PATCH"})"),
      "");
}

TEST(MetricsTest, KnowsTheClientsVerbsByTheirHttpMethodsAndTakesNoWatchForALatency) {
  Metrics metrics(TestOptions());
  for (const char* verb : {"LIST", "WATCH", "GET", "APPLY"}) {
    metrics.RequestDone(verb, 200, milliseconds(3));
  }
  const std::string text = metrics.Render();
  const std::string counted = R"(rest_client_requests_total{code="200",host="127.0.0.1:6443",)";
  EXPECT_EQ(LineOf(text, counted + R"(method="GET"})"), counted + R"(method="GET"} 3)");
  EXPECT_EQ(LineOf(text, counted + R"(method="PATCH"})"), counted + R"(method="PATCH"} 1)");
  const std::string timed =
      R"(rest_client_request_duration_seconds_count{host="127.0.0.1:6443",verb="GET"})";
  EXPECT_EQ(LineOf(text, timed), timed + " 2");
}

TEST(MetricsTest, StateTransitionsExistAtZeroForTheClosedSet) {
  Metrics metrics(TestOptions());
  const std::string text = metrics.Render();
  EXPECT_EQ(LineOf(text, R"(roster_state_transitions_total{from="Running",to="Failed"})"),
            R"(roster_state_transitions_total{from="Running",to="Failed"} 0)");
  EXPECT_EQ(LineOf(text, R"(roster_state_transitions_total{from="_none",to="Starting"})"),
            R"(roster_state_transitions_total{from="_none",to="Starting"} 0)");
  const std::string family = FamilyOf(text, "roster_state_transitions_total");
  EXPECT_EQ(std::count(family.begin(), family.end(), '\n'), 2 + 10 * 9 - 9);
  EXPECT_EQ(family.find("_other"), std::string::npos);
}

TEST(MetricsTest, TheClosedSetIsEveryStateThereIs) {
  Metrics metrics(TestOptions());
  for (int s = 1; s <= static_cast<int>(api::AgentState::kTerminating); ++s) {
    const std::string name(ToString(static_cast<api::AgentState>(s)));
    EXPECT_NE(metrics.Render().find("from=\"_none\",to=\"" + name + "\""), std::string::npos)
        << name;
  }
}

TEST(MetricsTest, CountsStateTransitions) {
  Metrics metrics(TestOptions());
  metrics.StateChanged("", "Starting");
  metrics.StateChanged("Starting", "Running");
  metrics.StateChanged("Starting", "Running");
  metrics.StateChanged("Starting", "Dancing");
  const std::string text = metrics.Render();
  EXPECT_EQ(LineOf(text, R"(roster_state_transitions_total{from="_none",to="Starting"})"),
            R"(roster_state_transitions_total{from="_none",to="Starting"} 1)");
  EXPECT_EQ(LineOf(text, R"(roster_state_transitions_total{from="Starting",to="Running"})"),
            R"(roster_state_transitions_total{from="Starting",to="Running"} 2)");
  EXPECT_EQ(LineOf(text, R"(roster_state_transitions_total{from="Starting",to="_other"})"),
            R"(roster_state_transitions_total{from="Starting",to="_other"} 1)");
}

TEST(MetricsTest, CountsWhatInformersMeet) {
  Metrics metrics(TestOptions());
  metrics.WatchRestarted("agents", "ended");
  metrics.Relisted("pods");
  metrics.ObjectMalformed("deployments");
  const std::string text = metrics.Render();
  EXPECT_NE(text.find("roster_watch_restarts_total{reason=\"ended\",resource=\"agents\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("roster_watch_restarts_total{reason=\"silence\",resource=\"pods\"} 0\n"),
            std::string::npos);
  EXPECT_NE(text.find("roster_relists_total{resource=\"pods\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("roster_relists_total{resource=\"agents\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("roster_objects_malformed_total{resource=\"deployments\"} 1\n"),
            std::string::npos);
}

TEST(MetricsTest, TimeToReadyTellsAtMostSoManyTypesApart) {
  Metrics::Options options = TestOptions();
  options.max_types = 2;
  Metrics metrics(options);
  for (const char* type : {"a", "b", "c", "d", "a"}) metrics.BecameReady(type, seconds(7));
  const std::string text = metrics.Render();
  EXPECT_NE(text.find("roster_time_to_ready_seconds_count{type=\"a\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("roster_time_to_ready_seconds_count{type=\"_other\"} 2\n"),
            std::string::npos);
  EXPECT_EQ(text.find("type=\"c\""), std::string::npos);
  EXPECT_NE(text.find("roster_metrics_dropped_total{limit=\"types\"} 2\n"), std::string::npos);
}

TEST(MetricsTest, EachScrapeCountsWhatALimitTookAway) {
  Metrics::Options options = TestOptions();
  options.max_agents = 1;
  Metrics metrics(options);
  const auto agents = store::MakeAgentStore();
  for (const char* name : {"a", "b", "c"}) PutAgent(*agents, name);
  metrics.SetSources(*agents, nullptr);
  metrics.Render();
  const std::string text = metrics.Render();
  EXPECT_EQ(FamilyOf(text, "roster_metrics_dropped_total"),
            "# HELP roster_metrics_dropped_total What scrapes left out, or summed up under _other, "
            "because a limit "
            "on series was reached; each scrape counts it again.\n"
            "# TYPE roster_metrics_dropped_total counter\n"
            "roster_metrics_dropped_total{limit=\"agents\"} 4\n"
            "roster_metrics_dropped_total{limit=\"namespaces\"} 0\n"
            "roster_metrics_dropped_total{limit=\"types\"} 0\n");
  EXPECT_NE(
      LineOf(text,
             R"(roster_agents{namespace="ns",type="research",state="Running",health="Healthy"})")
          .find(" 3"),
      std::string::npos);
}

TEST(MetricsTest, NamesItsBuild) {
  Metrics metrics(TestOptions());
  EXPECT_EQ(FamilyOf(metrics.Render(), "roster_build_info"),
            "# HELP roster_build_info Which build of Roster this is; always 1.\n"
            "# TYPE roster_build_info gauge\n"
            "roster_build_info{commit=\"abc123\",version=\"1.2.3\"} 1\n");
}

TEST(MetricsTest, CountsNothingTwiceAndLosesNothingAcrossThreads) {
  Metrics metrics(TestOptions());
  const auto agents = store::MakeAgentStore();
  metrics.SetSources(*agents, [] { return controller::WorkQueue::Stats{}; });
  constexpr int kThreads = 4;
  constexpr int kRounds = 500;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kRounds; ++i) {
          metrics.RequestDone("GET", 200 + i % 5, milliseconds(1));
          metrics.BecameReady(std::to_string(i % 7), seconds(1));
          metrics.StateChanged("Running", "Failed");
          metrics.StateChanged("Running", "Nowhere");
          PutAgent(*agents, std::to_string(t) + "-" + std::to_string(i));
          if (i % 100 == 0) metrics.Render();
        }
      });
    }
  }
  const std::string text = metrics.Render();
  EXPECT_NE(text.find("roster_state_transitions_total{from=\"Running\",to=\"Failed\"} 2000\n"),
            std::string::npos);
  EXPECT_NE(text.find("roster_state_transitions_total{from=\"Running\",to=\"_other\"} 2000\n"),
            std::string::npos);
  EXPECT_NE(
      text.find(
          "rest_client_requests_total{code=\"204\",host=\"127.0.0.1:6443\",method=\"GET\"} 400\n"),
      std::string::npos);
  EXPECT_NE(text.find("roster_agents{namespace=\"ns\",type=\"research\",state=\"Running\",health="
                      "\"Healthy\"} 2000\n"),
            std::string::npos);
}

}  // namespace
}  // namespace roster::metrics
