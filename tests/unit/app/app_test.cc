#include "app/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "fakes/fake_clock.h"
#include "unit/app/fake_signals.h"
#include "unit/app/recording_sink.h"

namespace roster::app {
namespace {

using controller::Controller;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Lines = std::vector<std::string>;

class FakeServer final : public http::Server {
 public:
  int port() const override { return 12345; }
};

/// The world of an App: every step is recorded, and does what the test says.
class AppTest : public ::testing::Test {
 protected:
  AppTest() {
    settings_.workers = 2;
    steps_.server = "https://api:6443";
    steps_.serve = [this](http::ServerHandler handler) -> Result<std::unique_ptr<http::Server>> {
      Record("serve");
      handler_ = std::move(handler);
      return std::unique_ptr<http::Server>(std::make_unique<FakeServer>());
    };
    steps_.server_version = [this](std::stop_token) -> Result<std::string> {
      Record("version");
      return std::string("v1.35.4");
    };
    steps_.check_crd = [this](std::stop_token) -> Result<CrdCheck> {
      Record("crd");
      return CrdCheck::kGood;
    };
    steps_.informers = [this] {
      Record("informers");
      synced_ = true;
      return std::vector<Steps::ThreadBody>{
          {"informer-agents", [this](std::stop_token stop) { Live("informer", stop); }}};
    };
    steps_.workers = [this] {
      Record("workers");
      return std::vector<Steps::ThreadBody>{
          {"worker-0", [this](std::stop_token stop) { Live("worker", stop); }}};
    };
    steps_.events = [this] {
      Record("events");
      return Steps::ThreadBody{"events", [this](std::stop_token stop) { Live("events", stop); }};
    };
    steps_.cancel_writes = [this] {
      Record("cancel");
      cancelled_ = true;
    };
    steps_.synced = [this] { return synced_.load(); };
    steps_.watches = [this] {
      Controller::WatchHealth agents{"agents", synced_, std::nullopt};
      if (watch_fails_) agents.error = Error{ErrorKind::kUnavailable, "connection refused"};
      return std::vector<Controller::WatchHealth>{agents};
    };
    steps_.count_agents = [] { return size_t{7}; };
    steps_.metrics = [] { return std::string(); };
  }

  ~AppTest() override {
    released_ = true;
    if (running_.valid()) {
      signals_.Send(SIGTERM);
      running_.wait();
    }
  }

  void Record(const std::string& what) { done_.Lock()->push_back(what); }
  Lines Done() { return *done_.Lock(); }

  /// The life of a thread that does as it is told.
  void Live(const std::string& name, const std::stop_token& stop) {
    Eventually([&] { return stop.stop_requested(); });
    Record(name + " ended");
  }

  /// Runs an App on a thread of its own until the test ends it.
  void Start() {
    app_ =
        std::make_unique<App>(settings_, steps_, signals_, clock_,
                              Logger(sink_, LogLevel::kInfo, LogFormat::kText), [] { return 0.5; });
    running_ = std::async(std::launch::async, [this] { return app_->Run(); });
  }
  App::Exit End() { return running_.get(); }
  void AwaitLine(const std::string& part) {
    ASSERT_TRUE(Eventually([&] { return sink_->Has(part); })) << part << " never logged";
  }
  http::ServerResponse Get(const std::string& path, const std::string& query = "") {
    return handler_({"GET", path, query});
  }

  fake::FakeClock clock_;
  FakeSignals signals_{clock_};
  std::shared_ptr<RecordingSink> sink_ = std::make_shared<RecordingSink>();
  Settings settings_;
  Steps steps_;
  http::ServerHandler handler_;
  Guarded<Lines> done_;
  std::atomic<bool> synced_ = false;
  std::atomic<bool> watch_fails_ = false;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> released_ = false;
  std::unique_ptr<App> app_;
  std::future<App::Exit> running_;
};

/// As AppTest, with time that stands still unless the test moves it.
class AppStopTest : public AppTest {
 protected:
  AppStopTest() { clock_.AutoAdvance(false); }
};

TEST_F(AppStopTest, StartsAndStopsInOrderAndSaysSo) {
  Start();
  AwaitLine("msg=\"ready\"");
  EXPECT_THAT(Done(), ElementsAre("serve", "version", "crd", "informers", "events", "workers"));
  signals_.Send(SIGTERM);
  const App::Exit exit = End();
  EXPECT_EQ(exit.code, 0);
  EXPECT_FALSE(exit.at_once);
  const Lines done = Done();
  EXPECT_EQ(Lines(done.begin() + 6, done.end()),
            (Lines{"worker ended", "events ended", "informer ended"}));
  EXPECT_EQ(
      sink_->Lines(),
      (Lines{"level=info msg=\"serving probes and metrics\" address=:8081 port=12345",
             "level=info msg=\"API server answers\" server=https://api:6443 version=v1.35.4",
             "level=info msg=\"CRD is there\" crd=agents.agentroster.dev schema_checked=true",
             "level=info msg=\"caches are warm\" agents=7 seconds=0",
             "level=info msg=\"ready\" workers=2 seconds=0",
             "level=info msg=\"stopping\" signal=SIGTERM timeout=5s",
             "level=info msg=\"workers stopped\"", "level=info msg=\"events written\"",
             "level=info msg=\"informers stopped\"", "level=info msg=\"stopped\" seconds=0"}));
}

TEST_F(AppStopTest, AHungWriteIsCancelledBeforeTheTimeIsUp) {
  steps_.workers = [this] {
    return std::vector<Steps::ThreadBody>{{"worker-0", [this](std::stop_token) {
                                             Record("write began");
                                             Eventually([&] { return cancelled_.load(); });
                                           }}};
  };
  Start();
  AwaitLine("msg=\"ready\"");
  signals_.Send(SIGINT);
  AwaitLine("msg=\"stopping\" signal=SIGINT timeout=5s");
  clock_.Advance(milliseconds(3'999));
  EXPECT_FALSE(cancelled_) << "a write is given all the time there is";
  clock_.Advance(milliseconds(1));
  const App::Exit exit = End();
  EXPECT_EQ(exit.code, 0);
  EXPECT_FALSE(exit.at_once);
  EXPECT_TRUE(sink_->Has(
      "level=warn msg=\"time is nearly up; cancelling what is still under way\" threads=worker-0"));
  EXPECT_TRUE(sink_->Has("level=info msg=\"stopped\" seconds=4"));
}

TEST_F(AppStopTest, AThreadThatHangsDoesNotHoldTheProcess) {
  steps_.workers = [this] {
    return std::vector<Steps::ThreadBody>{
        {"worker-0", [this](std::stop_token) { Eventually([&] { return released_.load(); }); }}};
  };
  Start();
  AwaitLine("msg=\"ready\"");
  signals_.Send(SIGTERM);
  AwaitLine("msg=\"stopping\"");
  clock_.Advance(milliseconds(5'000));
  const App::Exit exit = End();
  EXPECT_EQ(exit.code, 1);
  EXPECT_TRUE(exit.at_once);
  EXPECT_TRUE(sink_->Has("level=error msg=\"threads did not stop in time\" threads=worker-0"));
  released_ = true;
}

TEST_F(AppStopTest, ASecondSignalEndsItAtOnce) {
  steps_.workers = [this] {
    return std::vector<Steps::ThreadBody>{
        {"worker-0", [this](std::stop_token) { Eventually([&] { return released_.load(); }); }}};
  };
  Start();
  AwaitLine("msg=\"ready\"");
  signals_.Send(SIGTERM);
  AwaitLine("msg=\"stopping\"");
  signals_.Send(SIGINT);
  const App::Exit exit = End();
  EXPECT_EQ(exit.code, 128 + SIGINT);
  EXPECT_TRUE(exit.at_once);
  EXPECT_FALSE(cancelled_);
  EXPECT_TRUE(sink_->Has("level=warn msg=\"second signal; ending at once\" signal=SIGINT"));
  released_ = true;
}

TEST_F(AppStopTest, IsNotReadyWhileItStops) {
  steps_.workers = [this] {
    return std::vector<Steps::ThreadBody>{
        {"worker-0", [this](std::stop_token) { Eventually([&] { return released_.load(); }); }}};
  };
  Start();
  AwaitLine("msg=\"ready\"");
  EXPECT_EQ(Get("/readyz").body, "ok");
  signals_.Send(SIGTERM);
  AwaitLine("msg=\"stopping\"");
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("[-]shutdown failed: the process is stopping\n"));
  EXPECT_EQ(Get("/healthz").status, 200);
  released_ = true;
  EXPECT_EQ(End().code, 0);
}

TEST_F(AppStopTest, StopsWhileItWaitsForTheApiServer) {
  steps_.server_version = [](std::stop_token) -> Result<std::string> {
    return Error{ErrorKind::kUnavailable, "connection refused"};
  };
  Start();
  AwaitLine("API server does not answer");
  signals_.Send(SIGTERM);
  EXPECT_EQ(End().code, 0);
  EXPECT_THAT(Done(), ElementsAre("serve"));
}

TEST_F(AppStopTest, StopsWhileARequestOfItsStartIsUnderWay) {
  steps_.server_version = [](std::stop_token stop) -> Result<std::string> {
    Eventually([&] { return stop.stop_requested(); });
    return Error{ErrorKind::kCancelled, "cancelled"};
  };
  Start();
  AwaitLine("serving probes");
  signals_.Send(SIGTERM);
  EXPECT_EQ(End().code, 0);
  EXPECT_FALSE(sink_->Has("level=warn"));
}

TEST_F(AppTest, WaitsForAnApiServerThatDoesNotAnswer) {
  std::atomic<int> calls = 0;
  const std::vector<Error> answers{{ErrorKind::kUnavailable, "connection refused"},
                                   {ErrorKind::kUnauthorized, "Unauthorized"},
                                   {ErrorKind::kForbidden, "forbidden: no rights"},
                                   {ErrorKind::kTimeout, "no answer in 10s"},
                                   {ErrorKind::kThrottled, "slow down", seconds(30)},
                                   {ErrorKind::kUnavailable, "connection refused"}};
  std::string readiness;
  std::string health;
  steps_.server_version = [&](std::stop_token) -> Result<std::string> {
    const auto call = static_cast<size_t>(calls++);
    if (call == 3) {
      readiness = Get("/readyz").body;
      health = Get("/healthz").body;
    }
    if (call < answers.size()) return answers[call];
    return std::string("v1.35.4");
  };
  Start();
  AwaitLine("msg=\"ready\"");
  Lines lines = sink_->Lines();
  lines.erase(lines.begin());
  lines.resize(7);
  const std::string warn =
      "level=warn msg=\"API server does not answer; trying again\" server=https://api:6443 ";
  EXPECT_THAT(
      lines,
      ElementsAre(
          warn + "reason=Unavailable error=\"connection refused\" attempt=1 retry_in_ms=600",
          warn + "reason=Unauthorized error=Unauthorized attempt=2 retry_in_ms=1200",
          warn + "reason=Forbidden error=\"forbidden: no rights\" attempt=3 retry_in_ms=2400",
          warn + "reason=Timeout error=\"no answer in 10s\" attempt=4 retry_in_ms=3750",
          warn + "reason=Throttled error=\"slow down\" attempt=5 retry_in_ms=30000",
          warn + "reason=Unavailable error=\"connection refused\" attempt=6 retry_in_ms=3750",
          "level=info msg=\"API server answers\" server=https://api:6443 version=v1.35.4"));
  EXPECT_EQ(
      readiness,
      "[+]ping ok\n"
      "[-]startup failed: waiting for the API server at https://api:6443: forbidden: no rights\n"
      "[+]shutdown ok\n"
      "[-]cache-agents failed: not listed yet\n"
      "[+]watch-agents ok\n"
      "readyz check failed\n");
  EXPECT_EQ(health, "ok");
}

TEST_F(AppTest, EndsWithTheMendIfTheCrdIsMissing) {
  steps_.check_crd = [](std::stop_token) -> Result<CrdCheck> {
    return Error{ErrorKind::kNotFound, "the CRD agents.agentroster.dev is missing"};
  };
  Start();
  EXPECT_EQ(End().code, 1);
  EXPECT_THAT(Done(), ElementsAre("serve", "version"));
  EXPECT_TRUE(
      sink_->Has("level=error msg=\"CRD cannot be used; stopping\" crd=agents.agentroster.dev "
                 "error=\"the CRD agents.agentroster.dev is missing\" mend=\"kubectl apply "
                 "--server-side -f crds/\""));
}

TEST_F(AppTest, EndsWithTheMendIfTheCrdIsTooOld) {
  steps_.check_crd = [](std::stop_token) -> Result<CrdCheck> {
    return Error{ErrorKind::kInvalid, "too old: no field status.restarts"};
  };
  Start();
  EXPECT_EQ(End().code, 1);
  EXPECT_THAT(Done(), ElementsAre("serve", "version"));
  EXPECT_TRUE(sink_->Has(
      "error=\"too old: no field status.restarts\" mend=\"kubectl apply --server-side -f crds/\""));
}

TEST_F(AppTest, TriesAgainIfTheCrdCannotBeChecked) {
  std::atomic<int> calls = 0;
  steps_.check_crd = [&](std::stop_token) -> Result<CrdCheck> {
    if (calls++ == 0) return Error{ErrorKind::kForbidden, "no rights"};
    return CrdCheck::kPresent;
  };
  Start();
  AwaitLine("msg=\"ready\"");
  EXPECT_TRUE(sink_->Has(
      "level=warn msg=\"CRD cannot be checked; trying again\" crd=agents.agentroster.dev "
      "reason=Forbidden error=\"no rights\" attempt=1 retry_in_ms=600"));
  EXPECT_TRUE(sink_->Has(
      "level=info msg=\"CRD is there\" crd=agents.agentroster.dev schema_checked=false"));
}

TEST_F(AppTest, SaysWhichCacheIsNotWarm) {
  watch_fails_ = true;
  steps_.informers = [this] {
    return std::vector<Steps::ThreadBody>{
        {"informer-agents", [this](std::stop_token stop) { Live("informer", stop); }}};
  };
  Start();
  AwaitLine(
      "level=warn msg=\"cache is not warm yet\" resource=agents error=\"connection refused\"");
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("[-]startup failed: waiting for caches to be warm\n"));
  EXPECT_THAT(Get("/readyz").body, HasSubstr("[-]cache-agents failed: not listed yet\n"));
  EXPECT_EQ(Get("/readyz/cache-agents").status, 503);
  EXPECT_FALSE(sink_->Has("msg=\"ready\""));
  for (const std::string& step : Done())
    EXPECT_EQ(step.find("worker"), std::string::npos) << "before caches are warm";
  synced_ = true;
  AwaitLine("msg=\"ready\"");
  EXPECT_EQ(Get("/readyz").status, 200);
}

TEST_F(AppTest, StaysReadyThroughAnOutageAndNamesIt) {
  Start();
  AwaitLine("msg=\"ready\"");
  watch_fails_ = true;
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "ok");
  EXPECT_EQ(Get("/readyz", "verbose").body,
            "[+]ping ok\n[+]startup ok\n[+]shutdown ok\n[+]cache-agents ok\n"
            "[-]watch-agents failed: connection refused\nreadyz check passed\n");
}

TEST_F(AppTest, AnAddressThatMakesNoSenseIsABadConfiguration) {
  steps_.serve = [](http::ServerHandler) -> Result<std::unique_ptr<http::Server>> {
    return Error{ErrorKind::kInvalid, "no such host"};
  };
  Start();
  EXPECT_EQ(End().code, 2);
  EXPECT_TRUE(Done().empty());
  EXPECT_THAT(
      sink_->Lines(),
      ElementsAre("level=error msg=\"cannot serve probes and metrics\" address=:8081 error=\"no "
                  "such host\" "
                  "mend=\"free the address, or choose another one with --metrics-address\""));
}

TEST_F(AppTest, AnAddressThatIsTakenEndsIt) {
  steps_.serve = [](http::ServerHandler) -> Result<std::unique_ptr<http::Server>> {
    return Error{ErrorKind::kUnavailable, ":8081: address in use"};
  };
  Start();
  EXPECT_EQ(End().code, 1);
}

struct Failure {
  const char* what;
  std::function<void(std::stop_token)> body;
  const char* logged;
};

TEST_F(AppStopTest, AThreadThatFailsEndsTheProcessInOrder) {
  const std::vector<Failure> failures{
      {"throws", [](std::stop_token) { throw std::runtime_error("boom"); }, "boom"},
      {"throws something odd", [](std::stop_token) { throw 42; },
       "it threw what is no std::exception"},
      {"returns", [](std::stop_token) {}, "it ended although it should not"},
  };
  for (const Failure& failure : failures) {
    SCOPED_TRACE(failure.what);
    *done_.Lock() = {};
    sink_ = std::make_shared<RecordingSink>();
    steps_.workers = [&] { return std::vector<Steps::ThreadBody>{{"worker-0", failure.body}}; };
    Start();
    const App::Exit exit = End();
    EXPECT_EQ(exit.code, 1);
    EXPECT_FALSE(exit.at_once);
    EXPECT_TRUE(sink_->Has(std::string(
        "level=error msg=\"a thread failed, which is a bug; stopping\" thread=worker-0 ")));
    EXPECT_TRUE(sink_->Has(failure.logged));
    EXPECT_TRUE(sink_->Has("msg=\"informers stopped\""));
  }
}

TEST_F(AppStopTest, AStartThatThrowsEndsTheProcess) {
  steps_.informers = []() -> std::vector<Steps::ThreadBody> {
    throw std::runtime_error("no more threads");
  };
  Start();
  EXPECT_EQ(End().code, 1);
  EXPECT_TRUE(sink_->Has("thread=startup error=\"no more threads\""));
}

}  // namespace
}  // namespace roster::app
