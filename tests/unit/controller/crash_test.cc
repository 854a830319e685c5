// A process may die before any of its requests. Whatever it left, the next one must make of it what
// an undisturbed run makes, with the same number of creates and deletes.
#include <gtest/gtest.h>

#include <map>

#include "unit/controller/world.h"

namespace roster::controller {
namespace {

using namespace std::chrono_literals;

struct Scenario {
  std::string name;
  std::vector<std::function<void(World&)>> steps;
};

// Named in ctest's list, instead of printed as bytes.
void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

void Desire(World& w, const char* state) {
  w.Edit("a", [&](json& spec) { spec["desiredState"] = state; });
}

std::vector<Scenario> Scenarios() {
  const auto create = [](World& w) {
    w.server.Put(AgentManifest("a", WorkloadSpec({{"port", 80}})));
  };
  return {
      {"Create", {create}},
      {"CreateEndpoint", {[](World& w) {
         w.server.Put(AgentManifest("a", {{"type", "t"}, {"endpoint", json::object()}}));
       }}},
      {"Change",
       {create,
        [](World& w) {
          w.Edit("a", [](json& s) { s["workload"]["image"] = "registry.example/b:2"; });
        }}},
      {"Scale", {create, [](World& w) { w.Edit("a", [](json& s) { s["replicas"] = 3; }); }}},
      {"StopAndStart",
       {create, [](World& w) { Desire(w, "Stopped"); }, [](World& w) { Desire(w, "Running"); }}},
      {"PauseAndResume",
       {create, [](World& w) { Desire(w, "Paused"); }, [](World& w) { Desire(w, "Running"); }}},
      {"RemovePort",
       {create, [](World& w) { w.Edit("a", [](json& s) { s["workload"].erase("port"); }); }}},
      {"Delete", {create, [](World& w) { w.server.Delete(kube::kAgents, {"default", "a"}); }}},
      {"Recreate",
       {create, [](World& w) { w.server.Delete(kube::kAgents, {"default", "a"}); }, create}},
      {"EditedByHand",
       {create,
        [](World& w) {
          if (w.Deployment("a").is_null()) return;  // died before it was made
          w.server.Mutate(kube::kDeployments, {"default", "a"},
                          [](json& d) { d["spec"]["replicas"] = 4; });
        }}},
      {"ChildDeletedByHand",
       {create,
        [](World& w) {
          if (!w.Deployment("a").is_null()) w.server.Delete(kube::kDeployments, {"default", "a"});
        }}},
  };
}

/// What must be equal between two runs: everything but names of revisions, times, ids and the path
/// to the state.
json Dump(const World& w) {
  const std::set<std::string> volatile_keys{"uid",
                                            "resourceVersion",
                                            "creationTimestamp",
                                            "lastTransitionTime",
                                            "managedFields",
                                            "lastUpdateTime",
                                            "registeredTime",
                                            "startedTime",
                                            "history",
                                            "hash",
                                            "selector",
                                            "matchLabels",
                                            "agentroster.dev/agent-uid",
                                            "agentroster.dev/intent-hash",
                                            "generation",
                                            "observedGeneration",
                                            "workload",
                                            "deployment.kubernetes.io/revision"};
  const std::function<json(const json&)> normal = [&](const json& value) -> json {
    json result = value;
    if (value.is_object()) {
      result = json::object();
      for (const auto& [key, item] : value.items()) {
        if (!volatile_keys.contains(key)) result[key] = normal(item);
      }
    } else if (value.is_array()) {
      result = json::array();
      for (const json& item : value) result.push_back(normal(item));
    }
    return result;
  };
  json dump;
  for (const kube::Resource* resource : {&kube::kAgents, &kube::kDeployments, &kube::kServices}) {
    for (json object : w.server.List(*resource)) {
      if (resource != &kube::kAgents) object.erase("status");  // the controllers', not Roster's
      dump[std::string(resource->plural)].push_back(normal(object));
    }
  }
  return dump;
}

/// How often each object was really created or deleted through the API, by Roster or the test.
std::map<std::string, int> CreatesAndDeletes(const World& w) {
  std::map<std::string, int> counts;
  for (const fake::Action& action : w.server.Actions()) {
    if (action.resource == "events" || (action.verb != "create" && action.verb != "delete"))
      continue;
    ++counts[action.verb + " " + action.resource + "/" + action.name];
  }
  return counts;
}

class CrashTest : public ::testing::TestWithParam<Scenario> {};

TEST_P(CrashTest, DyingBeforeOrAfterAnyWriteEndsLikeAnUndisturbedRun) {
  World calm;
  ASSERT_TRUE(calm.Settle());
  for (const auto& step : GetParam().steps) {
    step(calm);
    ASSERT_TRUE(calm.Settle());
  }
  const json expected = Dump(calm);
  const int writes = static_cast<int>(calm.server.Actions().size());
  ASSERT_GT(writes, 0);

  // The process dies after k writes have been carried out; its next request finds nobody. k runs
  // over every write of every step, so that a death before write k+1 and one after write k are the
  // same cut.
  for (int k = 0; k <= writes; ++k) {
    SCOPED_TRACE("died after write " + std::to_string(k));
    World w;
    ASSERT_TRUE(w.Settle());
    w.server.StopAnsweringAfter(k);
    for (const auto& step : GetParam().steps) {
      step(w);
      for (int round = 0; round < 6; ++round) w.Round();
    }
    w.Restart();
    w.server.StartAnswering();
    ASSERT_TRUE(w.Settle());
    w.clock.Advance(15s);
    ASSERT_TRUE(w.Settle());
    EXPECT_EQ(Dump(w), expected) << json::diff(Dump(w), expected).dump(1);
    for (const auto& [what, count] : CreatesAndDeletes(w)) {
      EXPECT_LE(count, std::max(1, CreatesAndDeletes(calm)[what])) << what;
    }
    w.server.ClearActions();
    w.Restart();
    ASSERT_TRUE(w.Settle());
    EXPECT_TRUE(w.server.Actions().empty())
        << "a settled world is written to: " << ::testing::PrintToString(w.server.Actions());
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, CrashTest, ::testing::ValuesIn(Scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

/// A request that failed on its way back: the server acted, and the client cannot know.
class LostAnswerTest : public ::testing::TestWithParam<Scenario> {};

TEST_P(LostAnswerTest, AnAnswerLostAfterAnyWriteChangesNothingInTheEnd) {
  World calm;
  ASSERT_TRUE(calm.Settle());
  for (const auto& step : GetParam().steps) {
    step(calm);
    ASSERT_TRUE(calm.Settle());
  }
  const json expected = Dump(calm);
  for (const char* verb : {"create", "apply", "patch", "delete"}) {
    SCOPED_TRACE(std::string("lost answers of ") + verb);
    World w;
    ASSERT_TRUE(w.Settle());
    for (const auto& step : GetParam().steps) {
      w.server.FailNext(verb, "*", 2, fake::Fault::DropAfter());
      step(w);
      ASSERT_TRUE(w.Settle());
      w.clock.Advance(15s);
      ASSERT_TRUE(w.Settle());
    }
    EXPECT_EQ(Dump(w), expected) << json::diff(Dump(w), expected).dump(1);
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, LostAnswerTest, ::testing::ValuesIn(Scenarios()),
                         [](const auto& scenario) { return scenario.param.name; });

}  // namespace
}  // namespace roster::controller
