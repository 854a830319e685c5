// One Agent in a cluster small enough to see through: its children as the API server would keep
// them, its pods, and a reconcile by hand.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agents/plan.h"
#include "api/agent.h"
#include "api/children.h"

namespace roster::agents::test {

/// lab/researcher, of type research, with image i:1 and port 8000.
api::Agent WorkloadAgent();
/// lab/edge, of type reporter, with host edge.example, port 8443 and scheme https.
api::Agent EndpointAgent();

/// A pod that is running and ready since long ago.
api::Pod ReadyPod(const std::string& name = "researcher-1");
/// A pod that is running but not ready.
api::Pod UnreadyPod(const std::string& name = "researcher-1");
/// A pod whose container waits for `reason`, or that has such a problem itself.
api::Pod TroubledPod(const std::string& reason, const std::string& message,
                     const std::string& name = "researcher-1");

class Scene {
 public:
  explicit Scene(api::Agent agent_in_it);

  // ---- what is there; a test changes it as it likes ----
  api::Agent agent;
  std::optional<nlohmann::json> deployment;  ///< As the API server has it.
  std::optional<nlohmann::json> service;
  std::vector<api::Pod> pods;
  bool predecessor_remains = false;
  std::optional<WriteProblem> deployment_problem;
  std::optional<WriteProblem> service_problem;
  std::string id_holder;
  Settings settings;
  WallTime now{std::chrono::seconds(1767323045)};  // 2026-01-02T03:04:05Z

  /// The user changed the spec.
  void SpecChanged() { ++agent.meta.generation; }
  /// Somebody changed the Deployment's spec.
  void EditDeployment(const std::string& pointer, const nlohmann::json& value);
  /// The Deployment controller and the kubelet have done all that the Deployment asks for.
  void RunCluster();

  // ---- what Roster does ----
  Observed Observe() const;
  PlanResult Plan() const;
  /// Plans and carries out until nothing is left, then writes the status. Returns what was done, as
  /// "create Deployment", in order. After `crash_after` actions it stops without writing the
  /// status.
  std::vector<std::string> Reconcile(std::optional<size_t> crash_after = std::nullopt);
  /// The events of the last Reconcile.
  const std::vector<EventNote>& events() const { return events_; }
  /// How often the status was written.
  int status_writes() const { return status_writes_; }

  /// Reconcile, RunCluster, Reconcile: the Agent is as its spec says.
  void Converge();

  const api::Condition* Find(std::string_view type) const;
  /// "False CrashLoopBackOff", or "" if there is no such condition.
  std::string Condition(std::string_view type) const;

 private:
  void CarryOut(const Action& action);
  void WriteStatus(const api::AgentStatus& status);

  std::optional<int64_t> written_generation_;
  std::vector<EventNote> events_;
  int uids_ = 0;
  int status_writes_ = 0;
};

/// "create Deployment", "apply Service", "delete Service".
std::string Describe(const Action& action);
std::vector<std::string> Describe(const std::vector<Action>& actions);

}  // namespace roster::agents::test
