// The children that an Agent should have: complete intents, as they are sent to the API server.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "agents/observed.h"
#include "api/agent.h"
#include "base/result.h"

namespace roster::agents {

/// apps/v1 Deployment. `pod_template` comes from MakePodTemplate. Carries its own hash
/// (IntentHash).
nlohmann::json MakeDeployment(const api::Agent& agent, nlohmann::json pod_template);

/// v1 Service in front of spec.workload.port; selects nothing unless the Agent is desired Running.
nlohmann::json MakeService(const api::Agent& agent);

/// The hash that MakeDeployment and MakeService wrote into the manifest.
std::string IntentHash(const nlohmann::json& manifest);

/// "agentroster.dev/agent-uid=UID": selects an Agent's pods.
std::string PodSelector(const api::Agent& agent);

/// Where the agent can be reached, or empty: the Service of a workload with a port, or
/// spec.endpoint's host.
std::string EndpointUrl(const api::Agent& agent);

}  // namespace roster::agents
