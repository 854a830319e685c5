// Pods as a kubelet would report them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.h"

namespace roster::fake {

using nlohmann::json;

enum class PodBehaviour {
  kReady,
  kNeverReady,  ///< Runs, but its readiness probe fails.
  kCrashLoop,   ///< Its container ends with exit code 1, and waits in CrashLoopBackOff.
  kImagePullBackOff,
  kUnschedulable,
  kQuotaExceeded,  ///< No pod is made at all: the Deployment's condition ReplicaFailure says why.
};

/// A new pod's manifest, of a Deployment's template; `owner` is its ReplicaSet.
json MakePod(const json& deployment, const json& owner, const std::string& template_hash,
             const std::string& name);

/// The status of `pod` from now on. A crash loop restarts its containers every five minutes, which
/// is where the kubelet's back-off ends; in between nothing changes.
json PodStatus(const json& pod, PodBehaviour behaviour, WallTime now);

/// The message of a pod that the quota forbids.
std::string QuotaMessage(const std::string& pod_name);

}  // namespace roster::fake
