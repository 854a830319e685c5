#include "fakes/fake_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/children.h"
#include "fakes/fake_clock.h"

namespace roster::fake {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class FakeClusterTest : public ::testing::Test {
 protected:
  void PutDeployment(int replicas, const std::string& image = "registry.example/agent:1",
                     const std::string& strategy = "RollingUpdate") {
    const json labels = {{"agentroster.dev/agent-uid", "u"}};
    server_.Put({{"apiVersion", "apps/v1"},
                 {"kind", "Deployment"},
                 {"metadata", {{"name", "d"}}},
                 {"spec",
                  {{"replicas", replicas},
                   {"strategy", {{"type", strategy}}},
                   {"selector", {{"matchLabels", labels}}},
                   {"template",
                    {{"metadata", {{"labels", labels}}},
                     {"spec", {{"containers", {{{"name", "agent"}, {"image", image}}}}}}}}}}});
  }
  void Behave(PodBehaviour behaviour) { cluster_.SetBehaviour({"default", "d"}, behaviour); }
  // What Roster itself makes of the objects.
  api::Deployment Deployment() const {
    return *api::ParseDeployment(*server_.Get(kube::kDeployments, {"default", "d"}));
  }
  std::vector<api::Pod> Pods() const {
    std::vector<api::Pod> pods;
    for (const json& pod : server_.List(kube::kPods)) pods.push_back(*api::ParsePod(pod));
    return pods;
  }
  // One step; false if it wrote nothing.
  bool Step() {
    const uint64_t before = server_.version();
    cluster_.RunControllers();
    return server_.version() != before;
  }

  FakeClock clock_;
  FakeApiServer server_{clock_};
  FakeCluster cluster_{server_, clock_};
};

TEST_F(FakeClusterTest, MakesPodsReadyAndReportsThem) {
  PutDeployment(2);
  EXPECT_TRUE(Step());
  const api::Deployment deployment = Deployment();
  EXPECT_EQ(deployment.observed_generation, 1);
  EXPECT_EQ(deployment.current_replicas, 2);
  EXPECT_EQ(deployment.updated_replicas, 2);
  EXPECT_EQ(deployment.ready_replicas, 2);
  EXPECT_EQ(deployment.available_replicas, 2);
  EXPECT_FALSE(deployment.not_progressing);
  ASSERT_EQ(Pods().size(), 2U);
  for (const api::Pod& pod : Pods()) {
    EXPECT_TRUE(pod.ready);
    EXPECT_EQ(pod.phase, "Running");
    EXPECT_EQ(pod.agent_uid, "u");
    EXPECT_FALSE(pod.template_hash.empty());
    EXPECT_EQ(pod.problem, "");
  }
  EXPECT_FALSE(Step());
}

TEST_F(FakeClusterTest, ScalesDown) {
  PutDeployment(3);
  Step();
  PutDeployment(0);
  Step();
  EXPECT_EQ(Pods().size(), 0U);
  EXPECT_EQ(Deployment().current_replicas, 0);
  EXPECT_EQ(Deployment().observed_generation, 2);
}

TEST_F(FakeClusterTest, RollsToANewTemplateInOneStep) {
  PutDeployment(2);
  Step();
  const std::string old_hash = Pods()[0].template_hash;
  PutDeployment(2, "registry.example/agent:2");
  Step();
  ASSERT_EQ(Pods().size(), 2U);
  EXPECT_NE(Pods()[0].template_hash, old_hash);
  EXPECT_EQ(Deployment().updated_replicas, 2);
}

TEST_F(FakeClusterTest, ARollThatGetsStuckKeepsTheOldPodsAndSaysSoInTime) {
  PutDeployment(2);
  Step();
  Behave(PodBehaviour::kImagePullBackOff);
  PutDeployment(2, "registry.example/missing:1");
  Step();
  EXPECT_EQ(Pods().size(), 3U);
  EXPECT_EQ(Deployment().updated_replicas, 1);
  EXPECT_EQ(Deployment().available_replicas, 2);
  EXPECT_FALSE(Deployment().not_progressing);
  clock_.Advance(601s);
  Step();
  ASSERT_TRUE(Deployment().not_progressing);
  EXPECT_EQ(Deployment().not_progressing->first, "ProgressDeadlineExceeded");
  EXPECT_FALSE(Step());
  Behave(PodBehaviour::kReady);
  Step();
  EXPECT_EQ(Pods().size(), 2U);
  EXPECT_FALSE(Deployment().not_progressing);
}

TEST_F(FakeClusterTest, RecreateTakesTheOldPodsDownFirst) {
  PutDeployment(1, "registry.example/agent:1", "Recreate");
  Step();
  Behave(PodBehaviour::kNeverReady);
  PutDeployment(1, "registry.example/agent:2", "Recreate");
  Step();
  ASSERT_EQ(Pods().size(), 1U);
  EXPECT_FALSE(Pods()[0].ready);
  EXPECT_EQ(Deployment().available_replicas, 0);
}

TEST_F(FakeClusterTest, PodsTellTheirTrouble) {
  PutDeployment(1);
  Behave(PodBehaviour::kNeverReady);
  Step();
  EXPECT_EQ(Pods()[0].problem, "");
  EXPECT_FALSE(Pods()[0].ready);
  Behave(PodBehaviour::kCrashLoop);
  Step();
  EXPECT_EQ(Pods()[0].problem, "CrashLoopBackOff");
  EXPECT_THAT(Pods()[0].last_exit, HasSubstr("exit code 1"));
  EXPECT_EQ(Pods()[0].restarts, 1);
  Behave(PodBehaviour::kImagePullBackOff);
  Step();
  EXPECT_EQ(Pods()[0].problem, "ImagePullBackOff");
  EXPECT_EQ(Pods()[0].phase, "Pending");
  Behave(PodBehaviour::kUnschedulable);
  Step();
  EXPECT_EQ(Pods()[0].problem, "Unschedulable");
  Behave(PodBehaviour::kReady);
  Step();
  EXPECT_TRUE(Pods()[0].ready);
}

TEST_F(FakeClusterTest, ACrashLoopRestartsEveryFiveMinutes) {
  PutDeployment(1);
  Behave(PodBehaviour::kCrashLoop);
  EXPECT_TRUE(Step());
  EXPECT_FALSE(Step());
  clock_.Advance(5min);
  EXPECT_TRUE(Step());
  EXPECT_EQ(Pods()[0].restarts, 2);
}

TEST_F(FakeClusterTest, AnExceededQuotaMakesNoPodsAndIsTheDeploymentsTrouble) {
  PutDeployment(1);
  Behave(PodBehaviour::kQuotaExceeded);
  Step();
  EXPECT_EQ(Pods().size(), 0U);
  ASSERT_TRUE(Deployment().replica_failure);
  EXPECT_EQ(Deployment().replica_failure->first, "FailedCreate");
  EXPECT_THAT(Deployment().replica_failure->second, HasSubstr("exceeded quota"));
  EXPECT_FALSE(Step());
  Behave(PodBehaviour::kReady);
  Step();
  EXPECT_FALSE(Deployment().replica_failure);
  EXPECT_EQ(Pods().size(), 1U);
}

TEST_F(FakeClusterTest, PodsOfADeletedDeploymentAreGarbage) {
  PutDeployment(2);
  Step();
  server_.Delete(kube::kDeployments, {"default", "d"});
  EXPECT_EQ(Pods().size(), 0U);
  EXPECT_FALSE(Step());
}

}  // namespace
}  // namespace roster::fake
