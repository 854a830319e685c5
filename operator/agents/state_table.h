// The state table: from what is wanted and what is observed, each reduced to a word of a small
// closed set, to state, health and every condition. A total function without memory, time or text;
// docs/states.md is generated from its test.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/agent.h"

namespace roster::agents {

enum class Kind : uint8_t { kWorkload, kEndpoint };

/// The pods of a workload agent, as far as they count.
enum class Pods : uint8_t {
  kNone,        ///< There is none, not even one that is going away.
  kPending,     ///< Some exist; none of them runs yet (or none that is not going away).
  kUnready,     ///< Containers run, none is ready.
  kSomeReady,   ///< At least one ready, fewer than wanted.
  kRollingOut,  ///< As many ready as wanted, but not all of them of the wanted revision, or more
                ///< than wanted.
  kAllReady,    ///< Exactly what is wanted.
};

/// What stands in the way of a workload.
enum class Trouble : uint8_t {
  kNone,
  kPassing,   ///< Expected to pass: a first failed pull, one crash, no node with room yet.
  kFailing,   ///< Has failed more than once, and is tried again without anybody's help: crash loop,
              ///< image back-off.
  kTerminal,  ///< Nothing will change until somebody changes something: quota, pod security, a
              ///< refused write, a Deployment of that name that is not Roster's.
};

/// Why an Agent is not accepted.
enum class Refusal : uint8_t {
  kNone,
  kIdentity,  ///< Another Agent holds its agentID: it counts for nothing until that one is gone.
  kTemplate,  ///< spec.workload cannot be made into a pod. What runs already runs on: for the rest
              ///< this is a terminal trouble.
};

/// The heartbeat, policy and freshness together.
enum class Beat : uint8_t {
  kNotExpected,  ///< Disabled, or Optional and never seen or no longer fresh: no signal.
  kAwaited,      ///< Required, and none has come yet.
  kFresh,
  kLate,  ///< Required, and the last one is older than its time-out.
};

/// What a fresh heartbeat says.
enum class Report : uint8_t { kNone, kHealthy, kDegraded, kUnhealthy };

/// Everything that state and health depend on. What does not apply to an agent's kind is ignored.
struct Facts {
  Kind kind = Kind::kWorkload;
  api::DesiredState desired = api::DesiredState::kRunning;
  bool deleting = false;
  Refusal refusal = Refusal::kNone;
  bool not_started = false;  ///< Registered, and neither started nor stopped since.
  bool zero_wanted = false;  ///< spec.replicas is 0.
  bool was_up = false;       ///< A pod was ready before: it was Running, or Paused with a health.
  bool service_blocked = false;  ///< The Service cannot be written: its name is another's, or the
                                 ///< server refuses it.
  bool pending = false;          ///< What the spec asks for has still to be written to a child.
  Pods pods = Pods::kNone;
  Trouble trouble = Trouble::kNone;
  Beat beat = Beat::kNotExpected;
  Report report = Report::kNone;
};

/// Stands for the reason and message of the trouble itself, or of the refusal.
inline constexpr std::string_view kOwnReason = "*";
/// Stands for the reason and message of what blocks the Service.
inline constexpr std::string_view kServiceReason = "**";

struct ConditionVerdict {
  bool present = false;
  api::ConditionStatus status = api::ConditionStatus::kUnknown;
  std::string_view reason;
};

struct Verdict {
  api::AgentState state = api::AgentState::kUnset;
  api::Health health = api::Health::kUnset;
  ConditionVerdict accepted;
  ConditionVerdict workload_available;
  ConditionVerdict heartbeat_fresh;
  ConditionVerdict healthy;
  ConditionVerdict available;
  ConditionVerdict ready;
  ConditionVerdict reconciling;
  ConditionVerdict stalled;
};

Verdict Judge(const Facts& facts);

}  // namespace roster::agents
