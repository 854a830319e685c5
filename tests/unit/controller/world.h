// A whole world without threads: API server, cluster and controller in memory, stepped by hand on a
// clock that a test moves.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/controller.h"
#include "fakes/fake_api_server.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_cluster.h"
#include "kube/client.h"

namespace roster::controller {

using nlohmann::json;

inline json AgentManifest(const std::string& name, json spec, const std::string& ns = "default") {
  return {{"apiVersion", "agentroster.dev/v1alpha1"},
          {"kind", "Agent"},
          {"metadata", {{"name", name}, {"namespace", ns}}},
          {"spec", std::move(spec)}};
}

inline json WorkloadSpec(json fields = json::object()) {
  json workload{{"image", "registry.example/agent:1"}};
  workload.update(fields);
  return {{"type", "research"}, {"workload", std::move(workload)}};
}

class World {
 public:
  World() { Restart(); }

  /// A new process: everything that was only in memory is gone.
  void Restart() {
    controller.reset();
    controller.emplace(
        client, clock, SilentLogger(), observer, [] { return 0.5; }, ControllerOptions{});
  }

  /// One round of everybody; true if anything was written.
  bool Round() {
    const uint64_t before = server.version();
    controller->StepInformers();
    // Keys that come due within a second are part of the round: conflicts and short back-offs.
    const MonoTime until = clock.Mono() + std::chrono::seconds(1);
    for (;;) {
      while (controller->StepWorker()) {
      }
      const MonoTime due = controller->queue().NextDue();
      if (due > until) break;
      clock.Advance(std::max(due - clock.Mono(), MonoClock::duration(1)));
    }
    controller->StepEvents();
    if (cluster_runs) cluster.RunControllers();
    return server.version() != before;
  }

  /// Rounds until nobody writes any more. False if that does not happen.
  bool Settle() {
    int quiet = 0;
    for (int round = 0; round < 100; ++round) {
      quiet = Round() ? 0 : quiet + 1;
      if (quiet == 2) return true;
    }
    return false;
  }

  json Agent(const std::string& name) const {
    return server.Get(kube::kAgents, {"default", name}).value_or(json());
  }
  json Deployment(const std::string& name) const {
    return server.Get(kube::kDeployments, {"default", name}).value_or(json());
  }
  json Service(const std::string& name) const {
    return server.Get(kube::kServices, {"default", name}).value_or(json());
  }
  std::string State(const std::string& name) const {
    return Agent(name)["status"].value("state", "");
  }
  /// "True PodsReady", or "" if there is no such condition.
  std::string Condition(const std::string& name, std::string_view type) const {
    for (const json& c : Agent(name)["status"].value("conditions", json::array())) {
      if (c["type"] == type)
        return c["status"].get<std::string>() + " " + c["reason"].get<std::string>();
    }
    return "";
  }
  std::string Message(const std::string& name, std::string_view type) const {
    for (const json& c : Agent(name)["status"].value("conditions", json::array())) {
      if (c["type"] == type) return c["message"].get<std::string>();
    }
    return "";
  }
  void Edit(const std::string& name, const std::function<void(json& spec)>& change) {
    server.Mutate(kube::kAgents, {"default", name}, [&](json& agent) { change(agent["spec"]); });
  }
  void EditMeta(const std::string& name, const std::function<void(json& metadata)>& change) {
    server.Mutate(kube::kAgents, {"default", name},
                  [&](json& agent) { change(agent["metadata"]); });
  }

  /// What Roster wrote, Events left out.
  std::vector<fake::Action> Writes() const {
    std::vector<fake::Action> writes;
    for (const fake::Action& action : server.Actions()) {
      if (action.resource != "events") writes.push_back(action);
    }
    return writes;
  }

  fake::FakeClock clock;
  fake::FakeApiServer server{clock};
  fake::FakeCluster cluster{server, clock};
  kube::Client client{server};
  Observer observer;
  std::optional<Controller> controller;
  bool cluster_runs = true;
};

}  // namespace roster::controller
