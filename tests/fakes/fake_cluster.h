// The rest of a cluster: Deployment controller, scheduler and kubelets, all in one step.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/clock.h"
#include "fakes/fake_api_server.h"
#include "fakes/simulated_pod.h"

namespace roster::fake {

/// Confined to the test's thread.
class FakeCluster {
 public:
  /// Both outlive the cluster.
  FakeCluster(FakeApiServer& server, const Clock& clock) : server_(server), clock_(clock) {}

  /// How the pods of a Deployment behave from the next step on, those that exist too. Default:
  /// kReady.
  void SetBehaviour(const api::ObjectKey& deployment, PodBehaviour behaviour) {
    behaviours_[deployment] = behaviour;
  }

  /// One step: makes, rolls and removes pods, lets them behave, and reports it all in status. A
  /// rollout is done in one step if the new pods become ready; else a rolling update keeps the old
  /// pods, and after progressDeadlineSeconds the Deployment says so. Writes nothing where nothing
  /// changes (but a crash loop counts on).
  void RunControllers();

 private:
  struct Rollout {
    json deployment;
    json replica_set;
    std::string hash;
    PodBehaviour behaviour;
    std::vector<json> current;  ///< Pods of this revision.
    std::vector<json> old;
  };

  void RunOne(const json& deployment);
  json EnsureReplicaSet(const json& deployment, const std::string& hash);
  void FindPods(Rollout& rollout) const;
  void Scale(Rollout& rollout);
  void Behave(Rollout& rollout);
  void Report(const Rollout& rollout);
  json ProgressOf(const Rollout& rollout, bool complete) const;
  void Remove(const json& pod);

  FakeApiServer& server_;
  const Clock& clock_;
  std::map<api::ObjectKey, PodBehaviour> behaviours_;
  uint64_t pods_made_ = 0;
};

}  // namespace roster::fake
