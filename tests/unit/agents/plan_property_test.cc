// Properties of every plan, over some hundred random scenes. The seed is printed with a failure.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agents/plan.h"
#include "api/json.h"
#include "api/names.h"
#include "unit/agents/scene.h"

namespace roster::agents {
namespace {

using namespace std::chrono_literals;
using api::AgentState;
using api::DesiredState;
using nlohmann::json;
using test::Describe;
using test::EndpointAgent;
using test::ReadyPod;
using test::Scene;
using test::TroubledPod;
using test::UnreadyPod;
using test::WorkloadAgent;
using testing::IsEmpty;

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  int Roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(engine_); }
  bool OneIn(int chances) { return Roll(chances) == 0; }
  template <class T>
  T Of(std::initializer_list<T> values) {
    return values.begin()[Roll(static_cast<int>(values.size()))];
  }

 private:
  std::mt19937 engine_;
};

void ChangeSpec(Dice& dice, Scene& scene) {
  api::AgentSpec& spec = scene.agent.spec;
  spec.desired_state = dice.Of({DesiredState::kRunning, DesiredState::kRunning,
                                DesiredState::kPaused, DesiredState::kStopped});
  scene.SpecChanged();
  if (!spec.workload) return;
  spec.resident = dice.OneIn(4);
  spec.replicas = spec.resident ? 1 : dice.Of({0, 1, 1, 2, 3});
  spec.restarted_at = dice.Of<const char*>({"", "2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z"});
  spec.workload->image = dice.Of<const char*>({"i:1", "i:2"});
  spec.workload->port = dice.OneIn(3) ? std::nullopt : std::optional(dice.Of({8000, 9000}));
  spec.workload->rest = dice.Of<const char*>(
      {"", R"({"env":[{"name":"A","value":"1"}]})",
       R"({"podTemplate":{"spec":{"containers":[{"name":"helper","image":"h","env":[]}]}}})",
       R"({"podTemplate":{"metadata":{"labels":{"team":"search"},"annotations":null}}})",
       R"({"podTemplate":{"kind":"Pod"}})"});
}

api::Pod RandomPod(Dice& dice, const Scene& scene, int number) {
  const std::string name = fmt::format("researcher-{}", number);
  api::Pod pod;
  switch (dice.Roll(6)) {
    case 0:
      pod = TroubledPod("ImagePullBackOff", "no such image", name);
      break;
    case 1:
      pod = TroubledPod("Unschedulable", "no room", name);
      break;
    case 2:
      pod = TroubledPod("CrashLoopBackOff", "back-off", name);
      break;
    case 3:
      pod = UnreadyPod(name);
      break;
    default:
      pod = ReadyPod(name);
      break;
  }
  pod.restarts = dice.Of({0, 0, 1, 7});
  if (pod.restarts > 0) pod.last_exit = "container agent last ended with Error (exit code 1)";
  pod.ready_since = scene.now - dice.Of({0s, 5s, 3600s});
  pod.meta.deleting = dice.OneIn(6);
  pod.phase = dice.OneIn(8) ? "Failed" : pod.phase;
  return pod;
}

// What happens to a cluster between two looks of Roster at it.
void Disturb(Dice& dice, Scene& scene) {
  const std::vector<std::function<void()>> disturbances = {
      [&] { ChangeSpec(dice, scene); },
      [&] { scene.RunCluster(); },
      [&] { scene.deployment.reset(); },
      [&] { scene.service.reset(); },
      [&] {
        if (scene.deployment) scene.EditDeployment("/spec/replicas", dice.Roll(5));
      },
      [&] {
        if (scene.deployment)
          scene.EditDeployment("/spec/template/spec/containers/0/image", "evil");
      },
      [&] {
        if (scene.deployment)
          (*scene.deployment)["metadata"]["labels"].erase("agentroster.dev/type");
      },
      [&] {
        if (scene.deployment) (*scene.deployment)["metadata"]["ownerReferences"] = json::array();
      },
      [&] {
        if (scene.deployment) (*scene.deployment)["metadata"]["labels"]["team"] = "x";
      },
      [&] {
        if (scene.service) (*scene.service)["spec"]["selector"] = {{"app", "x"}};
      },
      [&] {
        if (scene.service) (*scene.service)["spec"]["clusterIP"] = "10.96.0.7";
      },
      [&] {
        if (scene.service)
          (*scene.service)["metadata"]["annotations"].erase("agentroster.dev/intent-hash");
      },
      [&] { scene.pods.clear(); },
      [&] {
        for (int i = 0; i < 3; ++i) scene.pods.push_back(RandomPod(dice, scene, i));
      },
      [&] { scene.agent.status.workload.reset(); },
      [&] {
        if (scene.agent.status.workload) scene.agent.status.workload->generation += 2;
      },
      [&] { scene.agent.status = api::AgentStatus(); },
      [&] {
        scene.agent.status.state =
            dice.Of({AgentState::kFailed, AgentState::kPaused, AgentState::kUnset});
      },
      [&] { scene.agent.status.conditions.clear(); },
      [&] { scene.id_holder = dice.Of<const char*>({"", "", "elder"}); },
      [&] { scene.predecessor_remains = dice.OneIn(3); },
      [&] { scene.agent.meta.deleting = dice.OneIn(5); },
      [&] { scene.now += dice.Of({1s, 11s, 86400s}); },
      [&] {
        scene.deployment_problem.reset();
        if (dice.OneIn(3)) {
          scene.deployment_problem = {WriteProblem::Kind::kForbidden, {"WriteForbidden", "no"}};
        }
      },
      [&] {
        scene.service_problem.reset();
        if (dice.OneIn(3)) {
          scene.service_problem = {WriteProblem::Kind::kConflict, {"NameConflict", "no"}};
          scene.service.reset();
        }
      },
      [&] {
        if (!scene.deployment) return;
        json& status = (*scene.deployment)["status"];
        for (const char* count :
             {"replicas", "readyReplicas", "updatedReplicas", "observedGeneration"}) {
          status[count] = dice.Roll(4);
        }
      },
      [&] {
        if (!scene.deployment) return;
        (*scene.deployment)["status"]["conditions"] = {
            {{"type", dice.Of<const char*>({"ReplicaFailure", "Progressing"})},
             {"status", dice.Of<const char*>({"True", "False"})},
             {"reason", "FailedCreate"},
             {"message", dice.Of<const char*>({"exceeded quota: q", "webhook down"})}}};
      },
  };
  disturbances[static_cast<size_t>(dice.Roll(static_cast<int>(disturbances.size())))]();
}

// What the CRD's schema and the tools that read conditions demand of a status.
void ExpectPresentable(const api::Agent& agent) {
  const api::AgentStatus& status = agent.status;
  EXPECT_EQ(status.observed_generation, agent.meta.generation);
  EXPECT_NE(status.state, AgentState::kUnset);
  EXPECT_NE(status.health, api::Health::kUnset);
  EXPECT_GE(status.replicas, 0);
  EXPECT_LE(status.history.size(), api::kMaxHistory);
  for (const api::HistoryEntry& entry : status.history) EXPECT_NE(entry.to, "");
  const json written = api::StatusToJson(status);
  for (const json& entry : written.value("history", json::array()))
    EXPECT_NE(entry.value("from", "-"), "");
  std::set<std::string> types;
  for (const api::Condition& condition : status.conditions) {
    EXPECT_TRUE(types.insert(condition.type).second) << condition.type << " twice";
    EXPECT_THAT(condition.reason, testing::MatchesRegex("[A-Za-z][A-Za-z0-9]*"));
    EXPECT_FALSE(condition.message.empty()) << condition.type;
    EXPECT_LE(condition.message.size(), 1024u);
    EXPECT_EQ(condition.observed_generation, agent.meta.generation);
  }
  EXPECT_FALSE(types.contains("Reconciling") && types.contains("Stalled"));
}

class PlanPropertyTest : public testing::TestWithParam<uint32_t> {};

// A random life of one Agent: after whatever has happened, one reconcile makes the plan empty and
// the status final.
TEST_P(PlanPropertyTest, ComesToRestAfterEveryDisturbance) {
  for (uint32_t seed = GetParam(); seed < GetParam() + 50; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Dice dice(seed);
    Scene scene(dice.OneIn(6) ? EndpointAgent() : WorkloadAgent());
    ChangeSpec(dice, scene);
    for (int step = 0; step < 25; ++step) {
      SCOPED_TRACE(fmt::format("step {}", step));
      for (int i = dice.Roll(4); i >= 0; --i) Disturb(dice, scene);
      if (dice.OneIn(3)) scene.Reconcile(/*crash_after=*/static_cast<size_t>(dice.Roll(3)));
      scene.Reconcile();
      ExpectPresentable(scene.agent);

      const PlanResult again = scene.Plan();
      EXPECT_THAT(Describe(again.actions), IsEmpty());
      EXPECT_THAT(again.events, IsEmpty());
      const json patch = api::StatusPatch(scene.agent.status, again.status);
      EXPECT_TRUE(patch.empty()) << patch.dump();
      // Time alone changes nothing, unless the plan asked to be looked at again.
      if (!again.look_again) {
        scene.now += 24h;
        EXPECT_TRUE(api::StatusPatch(scene.agent.status, scene.Plan().status).empty());
      }
      if (HasFailure()) return;
    }
  }
}

// Whoever dies in between, the children come out the same.
TEST_P(PlanPropertyTest, ACrashAfterAnyWriteChangesNothingInTheEnd) {
  for (uint32_t seed = GetParam(); seed < GetParam() + 50; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    for (size_t crash_after = 0; crash_after < 3; ++crash_after) {
      Dice dice(seed);
      Scene undisturbed(WorkloadAgent());
      ChangeSpec(dice, undisturbed);
      undisturbed.Converge();
      ChangeSpec(dice, undisturbed);
      Scene crashed = undisturbed;
      undisturbed.Reconcile();
      crashed.Reconcile(crash_after);
      crashed.Reconcile();
      const auto spec = [](const std::optional<json>& child) {
        return child ? (*child)["spec"] : json();
      };
      EXPECT_EQ(spec(crashed.deployment), spec(undisturbed.deployment));
      EXPECT_EQ(spec(crashed.service), spec(undisturbed.service));
      EXPECT_EQ(crashed.agent.status.state, undisturbed.agent.status.state);
      EXPECT_EQ(crashed.Condition("Ready"), undisturbed.Condition("Ready"));
      if (HasFailure()) return;
    }
  }
}

// Whatever an Agent went through, in an orderly cluster it becomes what its spec says.
TEST_P(PlanPropertyTest, HealsOnceTheClusterIsInOrder) {
  for (uint32_t seed = GetParam(); seed < GetParam() + 50; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Dice dice(seed);
    Scene scene(WorkloadAgent());
    ChangeSpec(dice, scene);
    for (int i = 0; i < 10; ++i) {
      Disturb(dice, scene);
      if (dice.OneIn(2)) scene.Reconcile();
    }
    scene.deployment_problem.reset();
    scene.service_problem.reset();
    scene.predecessor_remains = false;
    scene.id_holder.clear();
    scene.agent.meta.deleting = false;
    if (scene.agent.spec.workload->rest.find("kind") != std::string::npos) {
      scene.agent.spec.workload->rest.clear();
      scene.SpecChanged();
    }
    scene.Converge();
    EXPECT_THAT(scene.Condition("Ready"), testing::StartsWith("True "));
    EXPECT_EQ(scene.Condition("Stalled"), "");
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlanPropertyTest,
                         testing::Values(1u, 1001u, 2001u, 3001u, 4001u, 5001u));

}  // namespace
}  // namespace roster::agents
