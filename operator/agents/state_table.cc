#include "agents/state_table.h"

#include "api/names.h"

namespace roster::agents {
namespace {

using api::AgentState;
using api::ConditionStatus;
using api::DesiredState;
using api::Health;
namespace reason = api::reason;

bool AnyReady(Pods pods) {
  return pods >= Pods::kSomeReady;
}
bool Failing(Trouble trouble) {
  return trouble >= Trouble::kFailing;
}
bool WantsPods(const Facts& f) {
  return f.kind == Kind::kWorkload && f.desired != DesiredState::kStopped && !f.zero_wanted;
}

// ---- state ----

AgentState Halted(const Facts& f) {
  if (f.kind == Kind::kWorkload && f.pods != Pods::kNone) return AgentState::kStopping;
  return f.not_started && f.desired == DesiredState::kStopped ? AgentState::kCreated
                                                              : AgentState::kStopped;
}

AgentState EndpointState(const Facts& f) {
  switch (f.desired) {
    case DesiredState::kStopped:
      return Halted(f);
    case DesiredState::kPaused:
      return AgentState::kPaused;
    case DesiredState::kRunning:
      break;
  }
  if (f.beat == Beat::kLate) return AgentState::kLost;
  return f.beat == Beat::kAwaited ? AgentState::kStarting : AgentState::kRunning;
}

AgentState WorkloadState(const Facts& f) {
  if (!WantsPods(f)) return Halted(f);
  const AgentState up =
      f.desired == DesiredState::kPaused ? AgentState::kPaused : AgentState::kRunning;
  if (AnyReady(f.pods)) return up;
  if (Failing(f.trouble)) return AgentState::kFailed;
  // Containers that ran ready before and still run are up, though unhealthy; a paused agent waits
  // for nothing.
  const bool still_up = f.was_up && f.pods == Pods::kUnready;
  return still_up || up == AgentState::kPaused ? up : AgentState::kStarting;
}

AgentState StateOf(const Facts& f) {
  if (f.deleting) return AgentState::kTerminating;
  if (f.refusal == Refusal::kIdentity) return AgentState::kFailed;
  return f.kind == Kind::kEndpoint ? EndpointState(f) : WorkloadState(f);
}

// ---- health: the worst of what the pods and the heartbeat say; unknown if neither says anything
// ----

Health PodHealth(const Facts& f) {
  if (Failing(f.trouble) && !AnyReady(f.pods)) return Health::kUnhealthy;
  switch (f.pods) {
    case Pods::kAllReady:
      return Health::kHealthy;
    case Pods::kRollingOut:
      return Failing(f.trouble) ? Health::kDegraded : Health::kHealthy;
    case Pods::kSomeReady:
      return Health::kDegraded;
    case Pods::kUnready:
      return f.was_up ? Health::kUnhealthy : Health::kUnknown;
    case Pods::kPending:
    case Pods::kNone:
      break;
  }
  return Health::kUnknown;
}

Health BeatHealth(const Facts& f) {
  if (f.beat == Beat::kLate) return Health::kUnhealthy;
  if (f.beat != Beat::kFresh) return Health::kUnknown;
  switch (f.report) {
    case Report::kUnhealthy:
      return Health::kUnhealthy;
    case Report::kDegraded:
      return Health::kDegraded;
    case Report::kNone:
    case Report::kHealthy:
      break;
  }
  return Health::kHealthy;
}

// Of an agent that has ready pods. Before that the pods alone speak: a heartbeat that is late while
// they are only coming up is no news, and one that is fresh does not make up for them.
Health Fuse(Health pods, Health beat, bool beat_awaited) {
  for (const Health worse : {Health::kUnhealthy, Health::kDegraded}) {
    if (pods == worse || beat == worse) return worse;
  }
  // A pod's readiness does not stand in for a heartbeat that is required.
  return beat_awaited ? Health::kUnknown : pods;
}

Health HealthOf(const Facts& f, AgentState state) {
  switch (state) {
    case AgentState::kTerminating:
    case AgentState::kCreated:
    case AgentState::kStopped:
    case AgentState::kStopping:
      return Health::kUnknown;
    default:
      break;
  }
  if (f.refusal == Refusal::kIdentity) return Health::kUnknown;
  if (f.kind == Kind::kEndpoint) return BeatHealth(f);
  if (!AnyReady(f.pods)) return PodHealth(f);
  return Fuse(PodHealth(f), BeatHealth(f), f.beat == Beat::kAwaited);
}

// ---- conditions ----

ConditionVerdict Is(ConditionStatus status, std::string_view why) {
  return {true, status, why};
}
ConditionVerdict True(std::string_view why) {
  return Is(ConditionStatus::kTrue, why);
}
ConditionVerdict False(std::string_view why) {
  return Is(ConditionStatus::kFalse, why);
}
ConditionVerdict Unknown(std::string_view why) {
  return Is(ConditionStatus::kUnknown, why);
}

std::string_view HaltedReason(const Facts& f, AgentState state) {
  if (state == AgentState::kStopping) return reason::kStopping;
  if (state == AgentState::kCreated) return reason::kNotStarted;
  return f.desired == DesiredState::kStopped ? reason::kStopped : reason::kScaledToZero;
}

// Why pods that are wanted are not all there: the trouble if there is one, else how far they are.
std::string_view NotThereReason(const Facts& f) {
  if (f.trouble != Trouble::kNone) return kOwnReason;
  switch (f.pods) {
    case Pods::kNone:
      return reason::kCreatingWorkload;
    case Pods::kPending:
      return reason::kStarting;
    case Pods::kRollingOut:
      return reason::kRollingOut;
    case Pods::kUnready:
    case Pods::kSomeReady:
    case Pods::kAllReady:
      break;
  }
  return reason::kPodsNotReady;
}

ConditionVerdict WorkloadAvailable(const Facts& f, AgentState state) {
  if (f.kind == Kind::kEndpoint) return {};
  if (f.deleting) return False(reason::kTerminating);
  if (f.refusal == Refusal::kIdentity) return False(kOwnReason);
  if (!WantsPods(f)) return False(HaltedReason(f, state));
  return AnyReady(f.pods) ? True(reason::kPodsReady) : False(NotThereReason(f));
}

ConditionVerdict HeartbeatFresh(const Facts& f) {
  switch (f.beat) {
    case Beat::kNotExpected:
      break;
    case Beat::kAwaited:
      return Unknown(reason::kAwaitingHeartbeat);
    case Beat::kFresh:
      return True(reason::kHeartbeatFresh);
    case Beat::kLate:
      return False(reason::kHeartbeatLate);
  }
  return {};
}

// What made the health what it is.
std::string_view HealthReason(const Facts& f, AgentState state, Health health) {
  if (f.deleting) return reason::kTerminating;
  if (f.refusal == Refusal::kIdentity) return kOwnReason;
  switch (health) {
    case Health::kHealthy:
      return reason::kHealthy;
    case Health::kUnhealthy:
      if (f.kind == Kind::kWorkload && PodHealth(f) == Health::kUnhealthy) return NotThereReason(f);
      return f.beat == Beat::kLate ? reason::kHeartbeatLate : reason::kReportedUnhealthy;
    case Health::kDegraded:
      if (f.kind == Kind::kWorkload && PodHealth(f) == Health::kDegraded) {
        return f.trouble != Trouble::kNone ? kOwnReason : reason::kReplicasMissing;
      }
      return reason::kReportedDegraded;
    case Health::kUnknown:
    case Health::kUnset:
      break;
  }
  if (state == AgentState::kStopping || state == AgentState::kStopped ||
      state == AgentState::kCreated) {
    return HaltedReason(f, state);
  }
  if (f.beat == Beat::kAwaited && (f.kind == Kind::kEndpoint || AnyReady(f.pods)))
    return reason::kAwaitingHeartbeat;
  return f.kind == Kind::kWorkload ? NotThereReason(f) : reason::kNoSignal;
}

ConditionVerdict Healthy(Health health, std::string_view why) {
  switch (health) {
    case Health::kHealthy:
      return True(why);
    case Health::kDegraded:
    case Health::kUnhealthy:
      return False(why);
    case Health::kUnknown:
    case Health::kUnset:
      break;
  }
  return Unknown(why);
}

ConditionVerdict Available(const Facts& f, AgentState state, Health health,
                           std::string_view health_reason) {
  switch (state) {
    case AgentState::kRunning:
      break;
    case AgentState::kPaused:
      return False(reason::kPaused);
    case AgentState::kStopping:
    case AgentState::kStopped:
    case AgentState::kCreated:
      return False(HaltedReason(f, state));
    case AgentState::kLost:
      return False(reason::kHeartbeatLate);
    default:
      return False(health_reason);
  }
  if (f.kind == Kind::kWorkload && f.service_blocked) return False(kServiceReason);  // not reached
  switch (health) {
    case Health::kHealthy:
    case Health::kDegraded:
      return True(reason::kAvailable);
    case Health::kUnhealthy:
      return False(health_reason);
    default:
      return Unknown(health_reason);
  }
}

// What the spec asks for is what exists. A heartbeat is no part of that.
ConditionVerdict Ready(const Facts& f, AgentState state) {
  if (f.deleting) return False(reason::kTerminating);
  if (f.refusal == Refusal::kIdentity) return False(kOwnReason);
  if (f.kind == Kind::kEndpoint) {
    switch (f.desired) {
      case DesiredState::kRunning:
        return True(reason::kRegistered);
      case DesiredState::kPaused:
        return True(reason::kPaused);
      case DesiredState::kStopped:
        return True(HaltedReason(f, state));
    }
  }
  if (f.trouble == Trouble::kTerminal) return False(kOwnReason);
  if (f.service_blocked) return False(kServiceReason);
  if (state == AgentState::kStopping) return False(reason::kStopping);
  if (WantsPods(f) && f.pods != Pods::kAllReady) return False(NotThereReason(f));
  if (f.pending) return False(f.trouble != Trouble::kNone ? kOwnReason : reason::kUpdating);
  if (!WantsPods(f)) return True(HaltedReason(f, state));
  return True(f.desired == DesiredState::kPaused ? reason::kPaused : reason::kPodsReady);
}

// Nothing will move before somebody changes something.
bool StandsStill(const Facts& f) {
  if (f.refusal == Refusal::kIdentity) return true;
  return f.kind == Kind::kWorkload && (f.trouble == Trouble::kTerminal || f.service_blocked);
}

}  // namespace

Verdict Judge(const Facts& facts) {
  Facts f = facts;
  if (f.kind == Kind::kEndpoint && f.refusal == Refusal::kTemplate) f.refusal = Refusal::kNone;
  if (f.refusal == Refusal::kTemplate) f.trouble = Trouble::kTerminal;
  Verdict v;
  v.state = StateOf(f);
  v.health = HealthOf(f, v.state);
  const std::string_view why = HealthReason(f, v.state, v.health);
  v.accepted = f.refusal != Refusal::kNone ? False(kOwnReason) : True(reason::kAccepted);
  v.workload_available = WorkloadAvailable(f, v.state);
  v.heartbeat_fresh = HeartbeatFresh(f);
  v.healthy = Healthy(v.health, why);
  v.available = Available(f, v.state, v.health, why);
  v.ready = Ready(f, v.state);
  if (v.ready.status == ConditionStatus::kFalse && !f.deleting) {
    (StandsStill(f) ? v.stalled : v.reconciling) = True(v.ready.reason);
  }
  return v;
}

}  // namespace roster::agents
