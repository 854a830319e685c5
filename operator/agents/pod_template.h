// Makes the pod template of a workload agent from spec.workload: its podTemplate, with the short
// fields laid over it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "agents/observed.h"
#include "api/agent.h"
#include "base/result.h"

namespace roster::agents {

/// A corev1.PodTemplateSpec. Containers, env and volumes merge by name, other lists replace; the
/// short fields and Roster's labels win. The main container, "agent", comes first if the template
/// does not name it. Errors: kInvalid, naming field, value and limit.
Result<nlohmann::json> MakePodTemplate(const api::Agent& agent, const Settings& settings);

}  // namespace roster::agents
