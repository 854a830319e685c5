// What the conformance suite cannot reach: faults, outages, lost history, and the doors for tests.
#include "fakes/fake_api_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "fakes/fake_clock.h"
#include "kube/client.h"

namespace roster::fake {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FakeApiServerTest : public ::testing::Test {
 protected:
  static json Agent(const std::string& name) {
    return {{"apiVersion", "agentroster.dev/v1alpha1"},
            {"kind", "Agent"},
            {"metadata", {{"name", name}}},
            {"spec", {{"type", "research"}, {"workload", {{"image", "i"}}}}}};
  }
  static api::ObjectKey Key(const std::string& name) { return {"default", name}; }
  Result<json> Create(const std::string& name) {
    return client_.Create(kube::kAgents, "default", Agent(name), {});
  }
  Result<json> Get(const std::string& name) { return client_.Get(kube::kAgents, Key(name), {}); }
  bool Exists(const std::string& name) { return server_.Get(kube::kAgents, Key(name)).has_value(); }
  Result<kube::ListPage> List(kube::ListOptions options) {
    return client_.List(kube::kAgents, options, [](json&&) {}, {});
  }

  FakeClock clock_;
  FakeApiServer server_{clock_};
  kube::Client client_{server_};
};

TEST_F(FakeApiServerTest, ActionsAreWhatCouldHaveChangedSomethingInOrder) {
  ASSERT_TRUE(Create("a"));
  EXPECT_FALSE(Create("a"));
  ASSERT_TRUE(Get("a"));
  ASSERT_TRUE(client_.MergePatch(kube::kAgents, Key("a"), "status",
                                 {{"status", {{"state", "Running"}}}}, {}));
  ASSERT_TRUE(client_.Delete(kube::kAgents, Key("a"), {}, {}));
  const std::vector<Action> expected = {{"create", "agents", "default", "a"},
                                        {"create", "agents", "default", "a"},
                                        {"patch", "agents", "default", "a", "status"},
                                        {"delete", "agents", "default", "a"}};
  EXPECT_EQ(server_.Actions(), expected);
  EXPECT_EQ(server_.Requests().size(), 5U);
  EXPECT_EQ(::testing::PrintToString(expected[2]), "patch agents default/a/status");
  server_.ClearActions();
  EXPECT_THAT(server_.Requests(), IsEmpty());
}

TEST_F(FakeApiServerTest, ADoorLeavesNoTrace) {
  server_.Put(Agent("a"));
  server_.Mutate(kube::kAgents, Key("a"), [](json& agent) { agent["spec"]["replicas"] = 2; });
  server_.Delete(kube::kAgents, Key("a"));
  EXPECT_THAT(server_.Requests(), IsEmpty());
}

TEST_F(FakeApiServerTest, ADoorThrowsWhereTheServerWouldRefuse) {
  json agent = Agent("a");
  agent["spec"]["replicas"] = -1;
  EXPECT_THROW(server_.Put(agent), std::logic_error);
  EXPECT_THROW(server_.Delete(kube::kAgents, Key("nobody")), std::logic_error);
  EXPECT_THROW(server_.Put({{"apiVersion", "v1"}, {"kind", "Unheard"}}), std::logic_error);
}

TEST_F(FakeApiServerTest, PutCreatesThenReplacesAllButStatus) {
  const json created = server_.Put(Agent("a"));
  EXPECT_EQ(created["metadata"]["namespace"], "default");
  json with_status = created;
  with_status["status"] = {{"state", "Running"}};
  server_.PutStatus(with_status);
  json agent = Agent("a");
  agent["spec"]["replicas"] = 3;
  const json replaced = server_.Put(agent);
  EXPECT_EQ(replaced["metadata"]["generation"], 2);
  EXPECT_EQ(replaced["metadata"]["uid"], created["metadata"]["uid"]);
  EXPECT_EQ(replaced["status"]["state"], "Running");
}

TEST_F(FakeApiServerTest, MutateWritesBothSpecAndStatusAsAnotherManager) {
  server_.Put(Agent("a"));
  const json changed = server_.Mutate(
      kube::kAgents, Key("a"),
      [](json& agent) {
        agent["spec"]["replicas"] = 2;
        agent["status"]["state"] = "Failed";
      },
      "hand");
  EXPECT_EQ(changed["spec"]["replicas"], 2);
  EXPECT_EQ(changed["status"]["state"], "Failed");
  EXPECT_EQ(changed["metadata"]["managedFields"].size(), 3U);
}

TEST_F(FakeApiServerTest, AnInjectedAnswerStopsTheRequestAndIsUsedUp) {
  server_.FailNext("create", "agents", 1, Fault::Answer(403, "Forbidden", "exceeded quota"));
  const auto refused = Create("a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(refused.error().message, "exceeded quota");
  EXPECT_FALSE(Exists("a"));
  EXPECT_TRUE(Create("a"));
}

TEST_F(FakeApiServerTest, AnInjectedAnswerMayTellWhenToRetry) {
  server_.FailNext("*", "*", 1, Fault::Answer(AnyFailure(429, "TooManyRequests", "slow down"), 7s));
  const auto refused = Get("a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kThrottled);
  EXPECT_EQ(refused.error().retry_after, 7s);
}

TEST_F(FakeApiServerTest, ADropBeforeIsNotSeenAndADropAfterIsDone) {
  server_.FailNext("create", "*", 1, Fault::DropBefore());
  auto result = Create("a");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(Exists("a"));
  EXPECT_THAT(server_.Actions(), IsEmpty());

  server_.FailNext("create", "*", 1, Fault::DropAfter());
  result = Create("a");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(Exists("a"));
  EXPECT_EQ(server_.Actions().size(), 1U);
}

TEST_F(FakeApiServerTest, ADelayPassesOnTheClockAndBeyondTheTimeoutTheAnswerIsLost) {
  server_.FailNext("create", "*", 1, Fault::Delay(3s));
  const MonoTime start = clock_.Mono();
  EXPECT_TRUE(Create("a"));
  EXPECT_EQ(clock_.Mono() - start, 3s);
  server_.FailNext("create", "*", 1, Fault::Delay(1min));
  const auto late = Create("b");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(clock_.Mono() - start, 13s);
  EXPECT_TRUE(Exists("b"));
}

TEST_F(FakeApiServerTest, AMalformedBodyIsNoJson) {
  server_.FailNext("create", "*", 1, Fault::MalformedBody());
  const auto result = Create("a");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kMalformed);
  EXPECT_TRUE(Exists("a"));
}

TEST_F(FakeApiServerTest, AnOutageRefusesOrSwallowsUntilItEnds) {
  server_.StopAnswering();
  EXPECT_EQ(Create("a").error().kind, ErrorKind::kUnavailable);
  server_.StopAnswering(Outage::kBlackHole);
  const MonoTime start = clock_.Mono();
  EXPECT_EQ(Create("a").error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(clock_.Mono() - start, 10s);
  EXPECT_FALSE(Exists("a"));
  server_.StartAnswering();
  EXPECT_TRUE(Create("a"));
}

TEST_F(FakeApiServerTest, AServerThatStopsAfterTwoWritesCarriesOutTwo) {
  server_.StopAnsweringAfter(2);
  EXPECT_TRUE(Create("a"));
  EXPECT_TRUE(Get("a"));
  EXPECT_FALSE(Create("a"));  // Refused, but carried out: it counts.
  EXPECT_EQ(Create("b").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(Get("a").error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(Exists("b"));
}

TEST_F(FakeApiServerTest, CompactionMakesOlderVersionsExpire) {
  server_.Put(Agent("a"));
  server_.Put(Agent("b"));
  kube::ListOptions options;
  options.limit = 1;
  const auto first = List(options);
  ASSERT_TRUE(first);
  server_.Put(Agent("c"));
  server_.Compact();
  options.continue_token = first->continue_token;
  const auto second = List(options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kExpired);
  EXPECT_THAT(second.error().message, HasSubstr("The provided continue parameter is too old"));
  EXPECT_TRUE(List({}));
}

TEST_F(FakeApiServerTest, ARewindBringsBackTheStateAndTheCounterOfAVersion) {
  server_.Put(Agent("stays"));
  server_.Put(Agent("comes back"));
  const uint64_t version = server_.version();
  server_.Delete(kube::kAgents, Key("comes back"));
  server_.Put(Agent("never was"));
  server_.Mutate(kube::kAgents, Key("stays"), [](json& agent) { agent["spec"]["replicas"] = 9; });
  const uint64_t lost = server_.version();

  server_.Rewind(version);
  EXPECT_EQ(server_.version(), version);
  EXPECT_TRUE(Exists("comes back"));
  EXPECT_FALSE(Exists("never was"));
  EXPECT_EQ((*server_.Get(kube::kAgents, Key("stays")))["spec"]["replicas"], 1);
  kube::ListOptions options;
  options.limit = 1;
  options.resource_version = std::to_string(lost);
  options.resource_version_match = "NotOlderThan";
  const auto list = List(options);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind, ErrorKind::kFutureVersion);
}

TEST_F(FakeApiServerTest, GarbageGoesAtOnceOrWhenToldTo) {
  const auto owned = [&](const std::string& name, const json& owner) {
    json agent = Agent(name);
    agent["metadata"]["ownerReferences"] = {{{"apiVersion", "agentroster.dev/v1alpha1"},
                                             {"kind", "Agent"},
                                             {"name", "x"},
                                             {"uid", owner["metadata"]["uid"]}}};
    return server_.Put(agent);
  };
  owned("grandchild", owned("child", server_.Put(Agent("owner"))));
  server_.Delete(kube::kAgents, Key("owner"));
  EXPECT_THAT(server_.List(kube::kAgents), IsEmpty());

  server_.CollectGarbageAtOnce(false);
  owned("child", server_.Put(Agent("owner")));
  server_.Delete(kube::kAgents, Key("owner"));
  EXPECT_TRUE(Exists("child"));
  server_.RunGarbageCollector();
  EXPECT_FALSE(Exists("child"));
}

TEST_F(FakeApiServerTest, AnotherResourceCanBeMadeKnown) {
  server_.Register({"example.dev", "v1", "things", "Thing"});
  constexpr kube::Resource kThings{"example.dev", "v1", "things", "Thing"};
  const json thing = {{"apiVersion", "example.dev/v1"},
                      {"kind", "Thing"},
                      {"metadata", {{"name", "t"}}},
                      {"size", 1}};
  ASSERT_TRUE(client_.Create(kThings, "default", thing, {}));
  EXPECT_EQ((*server_.Get(kThings, Key("t")))["size"], 1);
}

TEST_F(FakeApiServerTest, AStoppedCallerIsCancelled) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(client_.Get(kube::kAgents, Key("a"), stop.get_token()).error().kind,
            ErrorKind::kCancelled);
}

}  // namespace
}  // namespace roster::fake
