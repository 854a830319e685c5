// The whole program but its sockets: App and Wiring with real threads, on an API server in memory.
#include "app/wiring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <nlohmann/json.hpp>

#include "app/version.h"
#include "fakes/fake_api_server.h"
#include "unit/app/fake_signals.h"
#include "unit/app/recording_sink.h"

namespace roster::app {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class FakeServer final : public http::Server {
 public:
  int port() const override { return 8081; }
};

/// The Wiring owns its transport, the test its server.
class Borrowed final : public kube::Transport {
 public:
  explicit Borrowed(kube::Transport& transport) : transport_(transport) {}
  Result<kube::Response> Send(const kube::Request& request, std::stop_token stop) override {
    return transport_.Send(request, std::move(stop));
  }
  Result<StreamResult> Stream(const kube::Request& request, const kube::StreamSink& sink,
                              std::stop_token stop) override {
    return transport_.Stream(request, sink, std::move(stop));
  }

 private:
  kube::Transport& transport_;
};

class WiringTest : public ::testing::Test {
 protected:
  WiringTest() {
    server_.HoldWatches(true);
    server_.Register({.group = "apiextensions.k8s.io",
                      .version = "v1",
                      .plural = "customresourcedefinitions",
                      .kind = "CustomResourceDefinition",
                      .namespaced = false});
    settings_.workers = 3;
    wiring_ = std::make_unique<Wiring>(settings_, "https://10.0.0.1:6443",
                                       std::make_unique<Borrowed>(server_), clock_, log_,
                                       [] { return 0.5; });
    steps_ = wiring_->TakeSteps();
    steps_.serve = [this](http::ServerHandler handler) -> Result<std::unique_ptr<http::Server>> {
      handler_ = std::move(handler);
      return std::unique_ptr<http::Server>(std::make_unique<FakeServer>());
    };
  }
  ~WiringTest() override {
    if (!running_.valid()) return;
    signals_.Send(SIGTERM);
    running_.wait();
  }

  void PutCrd() {
    json needed = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    const json crd{{"apiVersion", "apiextensions.k8s.io/v1"},
                   {"kind", "CustomResourceDefinition"},
                   {"metadata", {{"name", "agents.agentroster.dev"}}},
                   {"spec",
                    {{"versions",
                      {{{"name", "v1alpha1"},
                        {"served", true},
                        {"subresources", {{"status", json::object()}}},
                        {"schema", {{"openAPIV3Schema", needed}}}}}}}},
                   {"status", {{"conditions", {{{"type", "Established"}, {"status", "True"}}}}}}};
    server_.Put(crd);
    server_.PutStatus(crd);
  }
  void Start() {
    app_ = std::make_unique<App>(settings_, steps_, signals_, clock_, log_, [] { return 0.5; });
    running_ = std::async(std::launch::async, [this] { return app_->Run(); });
  }
  std::string Get(const std::string& path, const std::string& query = "") {
    return handler_({"GET", path, query}).body;
  }

  SystemClock clock_;
  fake::FakeApiServer server_{clock_};
  FakeSignals signals_{clock_};
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
  Logger log_{sink_, LogLevel::kDebug, LogFormat::kText};
  Settings settings_;
  std::unique_ptr<Wiring> wiring_;
  Steps steps_;
  http::ServerHandler handler_;
  std::unique_ptr<App> app_;
  std::future<App::Exit> running_;
};

TEST_F(WiringTest, ReconcilesAnAgentAndShowsItInMetrics) {
  PutCrd();
  Start();
  ASSERT_TRUE(Eventually([&] { return sink_->Has("msg=\"ready\""); }))
      << ::testing::PrintToString(sink_->Lines());
  EXPECT_EQ(Get("/readyz"), "ok");
  EXPECT_THAT(Get("/readyz", "verbose"), HasSubstr("[+]cache-deployments ok\n"));
  server_.Put(
      {{"apiVersion", "agentroster.dev/v1alpha1"},
       {"kind", "Agent"},
       {"metadata", {{"name", "a"}, {"namespace", "default"}}},
       {"spec", {{"type", "research"}, {"workload", {{"image", "registry.example/agent:1"}}}}}});
  ASSERT_TRUE(
      Eventually([&] { return server_.Get(kube::kDeployments, {"default", "a"}).has_value(); }));
  ASSERT_TRUE(Eventually([&] {
    return Get("/metrics")
               .find("roster_agents{namespace=\"default\",type=\"research\",state=\"Starting\"") !=
           std::string::npos;
  }));
  const std::string metrics = Get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("roster_agent_info{namespace=\"default\",name=\"a\""));
  EXPECT_THAT(
      metrics,
      HasSubstr("rest_client_requests_total{code=\"201\",host=\"10.0.0.1:6443\",method=\"POST\"}"));
  EXPECT_THAT(metrics,
              HasSubstr("controller_runtime_max_concurrent_reconciles{controller=\"agent\"} 3\n"));
  EXPECT_THAT(metrics,
              Not(HasSubstr("workqueue_adds_total{controller=\"agent\",name=\"agent\"} 0\n")));
  EXPECT_THAT(metrics,
              HasSubstr(std::string("version=\"") + std::string(ThisBuild().version) + "\""));
  // Its own writes come back through the watch and are looked at once more; then there is nothing
  // to do.
  EXPECT_TRUE(Eventually([&] {
    const std::string now = Get("/metrics");
    return now.find("workqueue_depth{controller=\"agent\",name=\"agent\"} 0\n") !=
               std::string::npos &&
           now.find("controller_runtime_active_workers{controller=\"agent\"} 0\n") !=
               std::string::npos;
  }));
  signals_.Send(SIGTERM);
  const App::Exit exit = running_.get();
  EXPECT_EQ(exit.code, 0);
  EXPECT_FALSE(exit.at_once);
  EXPECT_EQ(sink_->Count("level=error"), 0U);
}

TEST_F(WiringTest, OutlivesAnOutageOfTheApiServerAtStartAndLater) {
  PutCrd();
  server_.StopAnswering();
  Start();
  ASSERT_TRUE(Eventually(
      [&] { return sink_->Has("level=warn msg=\"API server does not answer; trying again\""); }));
  EXPECT_THAT(
      Get("/readyz"),
      HasSubstr("[-]startup failed: waiting for the API server at https://10.0.0.1:6443: "));
  server_.StartAnswering();
  ASSERT_TRUE(Eventually([&] { return sink_->Has("msg=\"ready\""); }))
      << ::testing::PrintToString(sink_->Lines());
  server_.StopAnswering();
  ASSERT_TRUE(Eventually([&] {
    return Get("/readyz", "verbose").find("[-]watch-pods failed: ") != std::string::npos;
  }));
  EXPECT_EQ(Get("/readyz"), "ok");
  signals_.Send(SIGTERM);
  EXPECT_EQ(running_.get().code, 0);
}

TEST_F(WiringTest, EndsIfTheCrdIsMissing) {
  Start();
  EXPECT_EQ(running_.get().code, 1);
  EXPECT_TRUE(sink_->Has("level=error msg=\"CRD cannot be used; stopping\""));
}

TEST(VersionTest, NamesVersionCommitAndCompiler) {
  EXPECT_THAT(VersionLine(),
              ::testing::MatchesRegex(
                  "roster [0-9]+\\.[0-9]+\\.[0-9]+ \\([0-9a-z]+, [A-Za-z]+ [0-9.]+\\)"));
  EXPECT_THAT(UserAgent(), ::testing::MatchesRegex("roster/[0-9.]+ \\(linux/[a-z0-9]+\\)"));
}

}  // namespace
}  // namespace roster::app
