#include "unit/agents/state_rows.h"

#include "api/names.h"

namespace roster::agents {
namespace {

using api::AgentState;
using api::ConditionStatus;
using api::DesiredState;
using api::Health;
namespace reason = api::reason;

constexpr Kind kWorkload = Kind::kWorkload;
constexpr Kind kEndpoint = Kind::kEndpoint;
constexpr DesiredState kRun = DesiredState::kRunning;
constexpr DesiredState kPause = DesiredState::kPaused;
constexpr DesiredState kStop = DesiredState::kStopped;
constexpr Any<Pods> kSomePods{Pods::kPending, Pods::kUnready, Pods::kSomeReady, Pods::kRollingOut,
                              Pods::kAllReady};
constexpr Any<Pods> kReadyPods{Pods::kSomeReady, Pods::kRollingOut, Pods::kAllReady};
constexpr Any<Pods> kNotAllReady{Pods::kNone, Pods::kPending, Pods::kUnready, Pods::kSomeReady,
                                 Pods::kRollingOut};
constexpr Any<Trouble> kFails{Trouble::kFailing, Trouble::kTerminal};
constexpr Any<Trouble> kAnyTrouble{Trouble::kPassing, Trouble::kFailing, Trouble::kTerminal};

constexpr Cell kAbsent{};
constexpr Cell True(std::string_view why) {
  return {true, ConditionStatus::kTrue, why};
}
constexpr Cell False(std::string_view why) {
  return {true, ConditionStatus::kFalse, why};
}
constexpr Cell Unknown(std::string_view why) {
  return {true, ConditionStatus::kUnknown, why};
}

// clang-format off
constexpr StateRow kStateRows[] = {
    {"deleted", {.kind = kWorkload, .deleting = true}, AgentState::kTerminating, False(reason::kTerminating)},
    {"endpoint-deleted", {.kind = kEndpoint, .deleting = true}, AgentState::kTerminating, kAbsent},
    {"duplicate", {.kind = kWorkload, .refusal = Refusal::kIdentity}, AgentState::kFailed, False(kOwnReason)},
    {"endpoint-duplicate", {.kind = kEndpoint, .refusal = Refusal::kIdentity}, AgentState::kFailed, kAbsent},

    {"endpoint-created", {.kind = kEndpoint, .desired = kStop, .not_started = true}, AgentState::kCreated, kAbsent},
    {"endpoint-stopped", {.kind = kEndpoint, .desired = kStop}, AgentState::kStopped, kAbsent},
    {"endpoint-paused", {.kind = kEndpoint, .desired = kPause}, AgentState::kPaused, kAbsent},
    {"endpoint-lost", {.kind = kEndpoint, .beat = Beat::kLate}, AgentState::kLost, kAbsent},
    {"endpoint-awaited", {.kind = kEndpoint, .beat = Beat::kAwaited}, AgentState::kStarting, kAbsent},
    {"endpoint-running", {.kind = kEndpoint}, AgentState::kRunning, kAbsent},

    {"stopping", {.desired = kStop, .pods = kSomePods}, AgentState::kStopping, False(reason::kStopping)},
    {"created", {.desired = kStop, .not_started = true}, AgentState::kCreated, False(reason::kNotStarted)},
    {"stopped", {.desired = kStop}, AgentState::kStopped, False(reason::kStopped)},
    {"scaling-to-zero", {.zero_wanted = true, .pods = kSomePods}, AgentState::kStopping, False(reason::kStopping)},
    {"scaled-to-zero", {.zero_wanted = true}, AgentState::kStopped, False(reason::kScaledToZero)},

    {"running", {.desired = kRun, .pods = kReadyPods}, AgentState::kRunning, True(reason::kPodsReady)},
    {"paused", {.desired = kPause, .pods = kReadyPods}, AgentState::kPaused, True(reason::kPodsReady)},
    {"failed", {.trouble = kFails}, AgentState::kFailed, False(kOwnReason)},
    {"up-with-trouble", {.desired = kRun, .was_up = true, .pods = Pods::kUnready, .trouble = Trouble::kPassing}, AgentState::kRunning, False(kOwnReason)},
    {"up-but-unready", {.desired = kRun, .was_up = true, .pods = Pods::kUnready}, AgentState::kRunning, False(reason::kPodsNotReady)},
    {"paused-with-trouble", {.desired = kPause, .trouble = Trouble::kPassing}, AgentState::kPaused, False(kOwnReason)},
    {"paused-without-pods", {.desired = kPause, .pods = Pods::kNone}, AgentState::kPaused, False(reason::kCreatingWorkload)},
    {"paused-pods-pending", {.desired = kPause, .pods = Pods::kPending}, AgentState::kPaused, False(reason::kStarting)},
    {"paused-pods-unready", {.desired = kPause}, AgentState::kPaused, False(reason::kPodsNotReady)},
    {"starting-with-trouble", {.trouble = Trouble::kPassing}, AgentState::kStarting, False(kOwnReason)},
    {"starting-without-pods", {.pods = Pods::kNone}, AgentState::kStarting, False(reason::kCreatingWorkload)},
    {"starting-pods-pending", {.pods = Pods::kPending}, AgentState::kStarting, False(reason::kStarting)},
    {"starting-pods-unready", {}, AgentState::kStarting, False(reason::kPodsNotReady)},
};

constexpr ReadyRow kReadyRows[] = {
    {"deleted", {.deleting = true}, False(reason::kTerminating), Beside::kNothing},
    {"duplicate", {.refusal = Refusal::kIdentity}, False(kOwnReason), Beside::kStalled},

    {"endpoint-registered", {.kind = kEndpoint, .desired = kRun}, True(reason::kRegistered), Beside::kNothing},
    {"endpoint-paused", {.kind = kEndpoint, .desired = kPause}, True(reason::kPaused), Beside::kNothing},
    {"endpoint-created", {.kind = kEndpoint, .not_started = true}, True(reason::kNotStarted), Beside::kNothing},
    {"endpoint-stopped", {.kind = kEndpoint}, True(reason::kStopped), Beside::kNothing},

    {"standing-still", {.trouble = Trouble::kTerminal}, False(kOwnReason), Beside::kStalled},
    {"service-blocked", {.service_blocked = true}, False(kServiceReason), Beside::kStalled},

    {"stopping", {.desired = kStop, .pods = kSomePods}, False(reason::kStopping), Beside::kReconciling},
    {"scaling-to-zero", {.desired = {kRun, kPause}, .zero_wanted = true, .pods = kSomePods}, False(reason::kStopping), Beside::kReconciling},

    {"pods-failing", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = kNotAllReady, .trouble = Trouble::kFailing}, False(kOwnReason), Beside::kReconciling},
    {"pods-in-trouble", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = kNotAllReady, .trouble = Trouble::kPassing}, False(kOwnReason), Beside::kReconciling},
    {"no-pods-yet", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = Pods::kNone}, False(reason::kCreatingWorkload), Beside::kReconciling},
    {"pods-pending", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = Pods::kPending}, False(reason::kStarting), Beside::kReconciling},
    {"pods-unready", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = Pods::kUnready}, False(reason::kPodsNotReady), Beside::kReconciling},
    {"some-pods-ready", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = Pods::kSomeReady}, False(reason::kPodsNotReady), Beside::kReconciling},
    {"rolling-out", {.desired = {kRun, kPause}, .zero_wanted = false, .pods = Pods::kRollingOut}, False(reason::kRollingOut), Beside::kReconciling},

    {"unwritten-with-trouble", {.pending = true, .trouble = {Trouble::kPassing, Trouble::kFailing}}, False(kOwnReason), Beside::kReconciling},
    {"unwritten", {.pending = true}, False(reason::kUpdating), Beside::kReconciling},

    {"created", {.desired = kStop, .not_started = true}, True(reason::kNotStarted), Beside::kNothing},
    {"stopped", {.desired = kStop}, True(reason::kStopped), Beside::kNothing},
    {"scaled-to-zero", {.zero_wanted = true}, True(reason::kScaledToZero), Beside::kNothing},
    {"paused", {.desired = kPause}, True(reason::kPaused), Beside::kNothing},
    {"ready", {}, True(reason::kPodsReady), Beside::kNothing},
};

constexpr HealthRow kHealthRows[] = {
    {"deleted", {.deleting = true}, Health::kUnknown, Unknown(reason::kTerminating)},
    {"duplicate", {.refusal = Refusal::kIdentity}, Health::kUnknown, Unknown(kOwnReason)},

    {"endpoint-created", {.kind = kEndpoint, .desired = kStop, .not_started = true}, Health::kUnknown, Unknown(reason::kNotStarted)},
    {"endpoint-stopped", {.kind = kEndpoint, .desired = kStop}, Health::kUnknown, Unknown(reason::kStopped)},
    {"endpoint-late", {.kind = kEndpoint, .beat = Beat::kLate}, Health::kUnhealthy, False(reason::kHeartbeatLate)},
    {"endpoint-awaited", {.kind = kEndpoint, .beat = Beat::kAwaited}, Health::kUnknown, Unknown(reason::kAwaitingHeartbeat)},
    {"endpoint-silent", {.kind = kEndpoint, .beat = Beat::kNotExpected}, Health::kUnknown, Unknown(reason::kNoSignal)},
    {"endpoint-reports-unhealthy", {.kind = kEndpoint, .report = Report::kUnhealthy}, Health::kUnhealthy, False(reason::kReportedUnhealthy)},
    {"endpoint-reports-degraded", {.kind = kEndpoint, .report = Report::kDegraded}, Health::kDegraded, False(reason::kReportedDegraded)},
    {"endpoint-healthy", {.kind = kEndpoint}, Health::kHealthy, True(reason::kHealthy)},

    {"stopping", {.desired = kStop, .pods = kSomePods}, Health::kUnknown, Unknown(reason::kStopping)},
    {"created", {.desired = kStop, .not_started = true}, Health::kUnknown, Unknown(reason::kNotStarted)},
    {"stopped", {.desired = kStop}, Health::kUnknown, Unknown(reason::kStopped)},
    {"scaling-to-zero", {.zero_wanted = true, .pods = kSomePods}, Health::kUnknown, Unknown(reason::kStopping)},
    {"scaled-to-zero", {.zero_wanted = true}, Health::kUnknown, Unknown(reason::kScaledToZero)},

    {"failing", {.pods = {Pods::kNone, Pods::kPending, Pods::kUnready}, .trouble = kFails}, Health::kUnhealthy, False(kOwnReason)},
    {"went-down-with-trouble", {.was_up = true, .pods = Pods::kUnready, .trouble = Trouble::kPassing}, Health::kUnhealthy, False(kOwnReason)},
    {"went-down", {.was_up = true, .pods = Pods::kUnready}, Health::kUnhealthy, False(reason::kPodsNotReady)},
    {"starting-with-trouble", {.pods = {Pods::kNone, Pods::kPending, Pods::kUnready}, .trouble = Trouble::kPassing}, Health::kUnknown, Unknown(kOwnReason)},
    {"no-pods-yet", {.pods = Pods::kNone}, Health::kUnknown, Unknown(reason::kCreatingWorkload)},
    {"pods-pending", {.pods = Pods::kPending}, Health::kUnknown, Unknown(reason::kStarting)},
    {"never-ready", {.pods = Pods::kUnready}, Health::kUnknown, Unknown(reason::kPodsNotReady)},

    {"heartbeat-late", {.beat = Beat::kLate}, Health::kUnhealthy, False(reason::kHeartbeatLate)},
    {"reports-unhealthy", {.beat = Beat::kFresh, .report = Report::kUnhealthy}, Health::kUnhealthy, False(reason::kReportedUnhealthy)},
    {"some-ready-with-trouble", {.pods = Pods::kSomeReady, .trouble = kAnyTrouble}, Health::kDegraded, False(kOwnReason)},
    {"some-ready", {.pods = Pods::kSomeReady}, Health::kDegraded, False(reason::kReplicasMissing)},
    {"rollout-failing", {.pods = Pods::kRollingOut, .trouble = kFails}, Health::kDegraded, False(kOwnReason)},
    {"reports-degraded", {.beat = Beat::kFresh, .report = Report::kDegraded}, Health::kDegraded, False(reason::kReportedDegraded)},
    {"heartbeat-awaited", {.beat = Beat::kAwaited}, Health::kUnknown, Unknown(reason::kAwaitingHeartbeat)},
    {"healthy", {}, Health::kHealthy, True(reason::kHealthy)},
};

constexpr ConditionRow kAvailableRows[] = {
    {"terminating", {.state = AgentState::kTerminating}, False(reason::kTerminating)},
    {"created", {.state = AgentState::kCreated}, False(reason::kNotStarted)},
    {"starting", {.state = AgentState::kStarting}, False(kReasonOfHealthy)},
    {"paused", {.state = AgentState::kPaused}, False(reason::kPaused)},
    {"stopping", {.state = AgentState::kStopping}, False(reason::kStopping)},
    {"stopped", {.state = AgentState::kStopped}, False(kReasonOfHealthy)},
    {"failed", {.state = AgentState::kFailed}, False(kReasonOfHealthy)},
    {"lost", {.state = AgentState::kLost}, False(reason::kHeartbeatLate)},
    {"unreachable", {.kind = kWorkload, .service_blocked = true}, False(kServiceReason)},
    {"healthy", {.health = Health::kHealthy}, True(reason::kAvailable)},
    {"degraded", {.health = Health::kDegraded}, True(reason::kAvailable)},
    {"unhealthy", {.health = Health::kUnhealthy}, False(kReasonOfHealthy)},
    {"unknown", {}, Unknown(kReasonOfHealthy)},
};

constexpr ConditionRow kAcceptedRows[] = {
    {"duplicate", {.refusal = Refusal::kIdentity}, False(kOwnReason)},
    {"bad-template", {.kind = kWorkload, .refusal = Refusal::kTemplate}, False(kOwnReason)},
    {"accepted", {}, True(reason::kAccepted)},
};

constexpr ConditionRow kHeartbeatFreshRows[] = {
    {"not-expected", {.beat = Beat::kNotExpected}, kAbsent},
    {"awaited", {.beat = Beat::kAwaited}, Unknown(reason::kAwaitingHeartbeat)},
    {"fresh", {.beat = Beat::kFresh}, True(reason::kHeartbeatFresh)},
    {"late", {.beat = Beat::kLate}, False(reason::kHeartbeatLate)},
};

constexpr TroubleRow kPodTroubles[] = {
    {"Unschedulable", "no node has room for the pod, or none is allowed to take it", Trouble::kPassing},
    {"SchedulingGated", "a scheduling gate holds the pod back", Trouble::kPassing},
    {"ErrImagePull", "the first attempt to pull the image failed", Trouble::kPassing},
    {"Error", "a container ended with an exit code other than 0, once", Trouble::kPassing},
    {"OOMKilled", "a container was killed for using more memory than its limit, once", Trouble::kPassing},
    {"ImagePullBackOff", "the image could not be pulled; Kubernetes waits longer before each new attempt", Trouble::kFailing},
    {"ErrImageNeverPull", "the image is not on the node, and `imagePullPolicy` is `Never`", Trouble::kFailing},
    {"CrashLoopBackOff", "a container ends again and again", Trouble::kFailing},
    {"StartError", "the program in the container cannot be started, for instance because it does not exist", Trouble::kFailing},
    {"RunContainerError", "the container cannot be started", Trouble::kFailing},
    {"CreateContainerConfigError", "a Secret or ConfigMap, or a key of one, does not exist", Trouble::kFailing},
    {"CreateContainerError", "the container cannot be made", Trouble::kFailing},
    {"InvalidImageName", "`spec.workload.image` is no name of an image", Trouble::kTerminal},
};

constexpr FailureRow kReplicaFailures[] = {
    {"pods \"researcher-5d4-x\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=5, limited: pods=5",
     "a ResourceQuota of the namespace is used up", reason::kQuotaExceeded, Trouble::kTerminal},
    {"pods \"researcher-5d4-x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
     "the namespace's pod security level does not allow such a pod", reason::kPodSecurityViolation, Trouble::kTerminal},
    {"pods \"researcher-5d4-x\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi",
     "an admission rule, such as a LimitRange, refuses the pod", reason::kFailedCreate, Trouble::kTerminal},
    {"Pod \"researcher-5d4-x\" is invalid: spec.containers[0].volumeMounts[0].name: Not found: \"data\"",
     "the pod itself is invalid", reason::kFailedCreate, Trouble::kTerminal},
    {"pods \"researcher-5d4-\" is forbidden: error looking up service account lab/builder: serviceaccount \"builder\" not found",
     "the ServiceAccount does not exist yet", reason::kServiceAccountNotFound, Trouble::kFailing},
    {"Internal error occurred: failed calling webhook \"inject.example\": failed to call webhook: context deadline exceeded",
     "the API server could not decide, for instance because a webhook did not answer", reason::kFailedCreate, Trouble::kFailing},
};
// clang-format on

}  // namespace

std::span<const StateRow> StateRows() {
  return kStateRows;
}
std::span<const ReadyRow> ReadyRows() {
  return kReadyRows;
}
std::span<const HealthRow> HealthRows() {
  return kHealthRows;
}
std::span<const ConditionRow> AvailableRows() {
  return kAvailableRows;
}
std::span<const ConditionRow> AcceptedRows() {
  return kAcceptedRows;
}
std::span<const ConditionRow> HeartbeatFreshRows() {
  return kHeartbeatFreshRows;
}
std::span<const TroubleRow> PodTroubles() {
  return kPodTroubles;
}
std::span<const FailureRow> ReplicaFailures() {
  return kReplicaFailures;
}

Facts Seen(Facts facts) {
  if (facts.refusal == Refusal::kTemplate) facts.trouble = Trouble::kTerminal;
  return facts;
}

bool Fits(const When& when, const Facts& f, AgentState state, Health health) {
  return when.kind.Has(f.kind) && when.deleting.Has(f.deleting) && when.refusal.Has(f.refusal) &&
         when.desired.Has(f.desired) && when.not_started.Has(f.not_started) &&
         when.zero_wanted.Has(f.zero_wanted) && when.was_up.Has(f.was_up) &&
         when.service_blocked.Has(f.service_blocked) && when.pending.Has(f.pending) &&
         when.pods.Has(f.pods) && when.trouble.Has(f.trouble) && when.beat.Has(f.beat) &&
         when.report.Has(f.report) && when.state.Has(state) && when.health.Has(health);
}

}  // namespace roster::agents
