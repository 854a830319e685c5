#include "agents/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "agents/manifests.h"
#include "api/names.h"
#include "base/duration.h"

namespace roster::agents {
namespace {

using api::AgentState;
using api::AgentStatus;
using api::Condition;
using api::ConditionStatus;
namespace reason = api::reason;
namespace condition = api::condition;

// A condition message may hold 32 KiB; nobody reads so much, and it is stored once per Agent.
constexpr size_t kMaxMessage = 1024;

std::string Cut(std::string text) {
  if (text.size() <= kMaxMessage) return text;
  size_t end = kMaxMessage - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
    --end;  // not inside a character
  text.resize(end);
  return text + "...";
}

class Wording {
 public:
  Wording(const api::Agent& agent, const FactsAndWords& gathered) : agent_(agent), g_(gathered) {}

  Problem Of(std::string_view why) const {
    if (why == kServiceReason) return g_.service_trouble;
    if (why == kOwnReason) {
      return g_.facts.refusal != Refusal::kNone ? g_.refusal : g_.trouble;
    }
    return {std::string(why), Message(why)};
  }

 private:
  std::string Message(std::string_view why) const {
    if (why == reason::kPodsReady || why == reason::kPodsNotReady ||
        why == reason::kReplicasMissing) {
      return ReadyPods();
    }
    if (why == reason::kHealthy || why == reason::kAvailable) {
      return g_.facts.kind == Kind::kWorkload ? ReadyPods() : "reported by heartbeat";
    }
    if (why == reason::kRollingOut) {
      return "not all pods are of the revision and number asked for yet; " + ReadyPods();
    }
    if (why == reason::kUpdating) return "what the spec asks for is being written";
    if (why == reason::kCreatingWorkload) {
      return fmt::format("waiting for the first pod of Deployment {}", agent_.meta.name);
    }
    if (why == reason::kStarting) {
      if (g_.leaving == g_.existing) {
        return fmt::format("waiting for {} to go away before others start", Pods(g_.leaving));
      }
      return fmt::format("none of {} is running yet", Pods(g_.existing - g_.leaving));
    }
    if (why == reason::kStopping) {
      if (g_.existing == 0) return "the Deployment is being scaled to zero";
      return fmt::format("waiting for {} to go away", Pods(g_.existing));
    }
    if (why == reason::kStopped) return "stopped, as spec.desiredState says";
    if (why == reason::kPaused)
      return "paused, as spec.desiredState says: pods are kept, no new work is sent";
    if (why == reason::kScaledToZero) return "spec.replicas is 0";
    if (why == reason::kNotStarted) return "registered, not started yet";
    if (why == reason::kTerminating) return "the Agent is being deleted";
    if (why == reason::kAccepted) return "the manifest can be acted on";
    if (why == reason::kRegistered)
      return "the agent runs elsewhere; Roster has nothing to create for it";
    if (why == reason::kAwaitingHeartbeat) return "no heartbeat has been received yet";
    if (why == reason::kHeartbeatFresh) return "the last heartbeat is within its time-out";
    if (why == reason::kHeartbeatLate) {
      return fmt::format("no heartbeat for longer than {}, spec.heartbeat.timeout",
                         FormatDuration(agent_.spec.heartbeat.timeout));
    }
    if (why == reason::kNoSignal)
      return "nothing reports on this agent: spec.heartbeat.policy does not require it";
    if (why == reason::kReportedDegraded || why == reason::kReportedUnhealthy)
      return "as the agent itself reports";
    return std::string(why);
  }

  static std::string Pods(int32_t count) {
    return count == 1 ? "1 pod" : fmt::format("{} pods", count);
  }
  std::string ReadyPods() const { return fmt::format("{} of {} pods ready", g_.ready, g_.wanted); }

  const api::Agent& agent_;
  const FactsAndWords& g_;
};

std::vector<Condition> MakeConditions(const api::Agent& agent, const Wording& wording,
                                      const Verdict& verdict, WallTime now) {
  const std::pair<std::string_view, const ConditionVerdict*> all[] = {
      {condition::kReady, &verdict.ready},
      {condition::kAccepted, &verdict.accepted},
      {condition::kWorkloadAvailable, &verdict.workload_available},
      {condition::kHeartbeatFresh, &verdict.heartbeat_fresh},
      {condition::kHealthy, &verdict.healthy},
      {condition::kAvailable, &verdict.available},
      {condition::kReconciling, &verdict.reconciling},
      {condition::kStalled, &verdict.stalled},
  };
  // metav1.Time has whole seconds; anything finer would differ from what is read back.
  const WallTime second = std::chrono::floor<std::chrono::seconds>(now);
  std::vector<Condition> conditions;
  for (const auto& [type, said] : all) {
    if (!said->present) continue;
    Problem words = wording.Of(said->reason);
    const Condition* old = agent.status.FindCondition(type);
    const bool same = old != nullptr && old->status == said->status;
    conditions.push_back({std::string(type), said->status, std::move(words.reason),
                          Cut(std::move(words.message)), agent.meta.generation,
                          same ? old->last_transition_time : second});
  }
  return conditions;
}

// The condition that says why the state is what it is: what stands in the way of what is asked for,
// or else whether the agent can be used.
const Condition& Explanation(const AgentStatus& status) {
  const Condition& ready = *status.FindCondition(condition::kReady);
  const Condition* available = status.FindCondition(condition::kAvailable);
  return ready.status == ConditionStatus::kTrue && available != nullptr ? *available : ready;
}

void FollowState(AgentStatus& status, AgentState before, WallTime now) {
  const WallTime second = std::chrono::floor<std::chrono::seconds>(now);
  if (status.state == AgentState::kRunning) {
    if (!status.started_time) status.started_time = second;
  } else if (status.state != AgentState::kPaused && status.state != AgentState::kStopping &&
             status.state != AgentState::kTerminating && status.state != AgentState::kLost) {
    status.started_time.reset();
  }
  if (status.state == before) return;
  status.history.push_back({second, std::string(ToString(before)),
                            std::string(ToString(status.state)), Explanation(status).reason, ""});
  if (status.history.size() > api::kMaxHistory) {
    status.history.erase(status.history.begin(),
                         status.history.end() - static_cast<std::ptrdiff_t>(api::kMaxHistory));
  }
}

}  // namespace

AgentStatus MakeStatus(const Observed& observed, const FactsAndWords& gathered,
                       const Verdict& verdict, WallTime now) {
  const api::Agent& agent = *observed.agent;
  AgentStatus status = agent.status;
  status.observed_generation = agent.meta.generation;
  status.state = verdict.state;
  status.health = verdict.health;
  status.agent_id = agent.EffectiveId();
  // Without a Service of our own the name may lead to somebody else's.
  status.endpoint = agent.spec.workload && !observed.service ? "" : EndpointUrl(agent);
  status.selector = agent.spec.workload ? PodSelector(agent) : "";
  status.replicas = observed.deployment ? observed.deployment->current_replicas : 0;
  status.ready_replicas = observed.deployment ? observed.deployment->ready_replicas : 0;
  status.restarts = gathered.restarts;
  if (!status.registered_time) status.registered_time = agent.meta.creation_time;
  status.conditions = MakeConditions(agent, Wording(agent, gathered), verdict, now);
  FollowState(status, agent.status.state, now);
  return status;
}

std::vector<EventNote> MakeEvents(const AgentStatus& before, const AgentStatus& after) {
  // What keeps Ready away in the ordinary course of things; all else is somebody's trouble.
  constexpr std::string_view kOrdinary[] = {reason::kStarting,    reason::kCreatingWorkload,
                                            reason::kRollingOut,  reason::kStopping,
                                            reason::kTerminating, reason::kPodsNotReady,
                                            reason::kUpdating,    reason::kAwaitingDeletion};
  const Condition& ready = *after.FindCondition(condition::kReady);
  const Condition* ready_before = before.FindCondition(condition::kReady);
  const bool trouble =
      ready.status != ConditionStatus::kTrue &&
      std::find(std::begin(kOrdinary), std::end(kOrdinary), ready.reason) == std::end(kOrdinary);
  const auto sick = [](api::Health health) {
    return health == api::Health::kDegraded || health == api::Health::kUnhealthy;
  };
  if (after.state != before.state) {
    const std::string_view from =
        before.state == AgentState::kUnset ? "new" : ToString(before.state);
    const bool bad = after.state == AgentState::kFailed || after.state == AgentState::kLost;
    const Condition& why = Explanation(after);
    return {{bad, bad ? why.reason : std::string(ToString(after.state)),
             fmt::format("{} -> {}: {}", from, ToString(after.state), why.message)}};
  }
  if (trouble && (ready_before == nullptr || ready_before->reason != ready.reason)) {
    return {{true, ready.reason, ready.message}};
  }
  if (after.health != before.health && (sick(after.health) || sick(before.health))) {
    const Condition& healthy = *after.FindCondition(condition::kHealthy);
    return {{sick(after.health), std::string(ToString(after.health)),
             fmt::format("health {} -> {}: {}", ToString(before.health), ToString(after.health),
                         healthy.message)}};
  }
  return {};
}

}  // namespace roster::agents
