// Every name that stands in the API: groups, labels, annotations, condition types and reasons, in
// one place.
#pragma once

#include <string_view>

namespace roster::api {

inline constexpr std::string_view kGroup = "agentroster.dev";
inline constexpr std::string_view kVersion = "v1alpha1";
inline constexpr std::string_view kApiVersion = "agentroster.dev/v1alpha1";
inline constexpr std::string_view kAgentKind = "Agent";
/// metadata.managedFields[].manager of all that Roster writes.
inline constexpr std::string_view kFieldManager = "roster";
/// The container of the pod that is the agent; others of the template are its helpers.
inline constexpr std::string_view kMainContainer = "agent";
/// The one port of an agent: of its Service, and of its main container unless the name is taken
/// there.
inline constexpr std::string_view kPortName = "http";

namespace label {
inline constexpr std::string_view kManagedBy = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kManagedByRoster = "roster";
inline constexpr std::string_view kAppName = "app.kubernetes.io/name";
inline constexpr std::string_view kAgentUid = "agentroster.dev/agent-uid";
inline constexpr std::string_view kType = "agentroster.dev/type";
/// Put into a Service's selector, never on a pod, so that a paused agent's Service selects nothing.
inline constexpr std::string_view kPaused = "agentroster.dev/paused";
}  // namespace label

namespace annotation {
inline constexpr std::string_view kPrefix = "agentroster.dev/";
/// On an Agent: registered, but never started nor stopped yet.
inline constexpr std::string_view kNotStarted = "agentroster.dev/not-started";
/// On a child: hash of all that Roster wants it to be.
inline constexpr std::string_view kIntentHash = "agentroster.dev/intent-hash";
/// On a pod template: spec.restartedAt, so that a change of it rolls the pods.
inline constexpr std::string_view kRestartedAt = "agentroster.dev/restarted-at";
}  // namespace annotation

namespace condition {
inline constexpr std::string_view kAccepted = "Accepted";
inline constexpr std::string_view kWorkloadAvailable = "WorkloadAvailable";
inline constexpr std::string_view kHeartbeatFresh = "HeartbeatFresh";
inline constexpr std::string_view kHealthy = "Healthy";
inline constexpr std::string_view kAvailable = "Available";
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::string_view kReconciling = "Reconciling";
inline constexpr std::string_view kStalled = "Stalled";
}  // namespace condition

/// Reasons of conditions, Events and history entries: stable CamelCase words that scripts may
/// match. Besides these, reasons that Kubernetes itself gives for a pod or a Deployment are passed
/// on as they are (ImagePullBackOff, CrashLoopBackOff, OOMKilled, Unschedulable,
/// ProgressDeadlineExceeded, …).
namespace reason {
// Accepted
inline constexpr std::string_view kAccepted = "Accepted";
inline constexpr std::string_view kDuplicateID = "DuplicateID";
inline constexpr std::string_view kInvalidPodTemplate = "InvalidPodTemplate";
// Life cycle
inline constexpr std::string_view kRunning = "Running";
inline constexpr std::string_view kStarting = "Starting";
inline constexpr std::string_view kPaused = "Paused";
inline constexpr std::string_view kStopped = "Stopped";
inline constexpr std::string_view kStopping = "Stopping";
inline constexpr std::string_view kScaledToZero = "ScaledToZero";
inline constexpr std::string_view kTerminating = "Terminating";
inline constexpr std::string_view kNotStarted = "NotStarted";
inline constexpr std::string_view kRegistered = "Registered";
inline constexpr std::string_view kRollingOut = "RollingOut";
// Workload
inline constexpr std::string_view kPodsReady = "PodsReady";
inline constexpr std::string_view kPodsNotReady = "PodsNotReady";
inline constexpr std::string_view kCreatingWorkload = "CreatingWorkload";
inline constexpr std::string_view kNameConflict = "NameConflict";
inline constexpr std::string_view kWriteRefused = "WriteRefused";
inline constexpr std::string_view kWriteForbidden = "WriteForbidden";
inline constexpr std::string_view kUpdating = "Updating";
inline constexpr std::string_view kAwaitingDeletion = "AwaitingDeletion";
inline constexpr std::string_view kFailedCreate = "FailedCreate";
inline constexpr std::string_view kQuotaExceeded = "QuotaExceeded";
inline constexpr std::string_view kPodSecurityViolation = "PodSecurityViolation";
inline constexpr std::string_view kServiceAccountNotFound = "ServiceAccountNotFound";
inline constexpr std::string_view kCrashLoopBackOff = "CrashLoopBackOff";
inline constexpr std::string_view kImagePullBackOff = "ImagePullBackOff";
inline constexpr std::string_view kErrImagePull = "ErrImagePull";
inline constexpr std::string_view kInvalidImageName = "InvalidImageName";
inline constexpr std::string_view kProgressDeadlineExceeded = "ProgressDeadlineExceeded";
inline constexpr std::string_view kUnschedulable = "Unschedulable";
// Health and heartbeats
inline constexpr std::string_view kHealthy = "Healthy";
inline constexpr std::string_view kDegraded = "Degraded";
inline constexpr std::string_view kUnhealthy = "Unhealthy";
inline constexpr std::string_view kAwaitingHeartbeat = "AwaitingHeartbeat";
inline constexpr std::string_view kHeartbeatFresh = "HeartbeatFresh";
inline constexpr std::string_view kHeartbeatLate = "HeartbeatLate";
inline constexpr std::string_view kReportedDegraded = "ReportedDegraded";
inline constexpr std::string_view kReportedUnhealthy = "ReportedUnhealthy";
inline constexpr std::string_view kReplicasMissing = "ReplicasMissing";
inline constexpr std::string_view kAvailable = "Available";
inline constexpr std::string_view kNoSignal = "NoSignal";
// Events about what was done
inline constexpr std::string_view kCreated = "Created";
inline constexpr std::string_view kUpdated = "Updated";
inline constexpr std::string_view kDeleted = "Deleted";
inline constexpr std::string_view kDriftCorrected = "DriftCorrected";
}  // namespace reason

}  // namespace roster::api
