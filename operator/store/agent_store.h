// The Agents, by every field that they are looked up by.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/agent.h"
#include "api/children.h"
#include "store/store.h"

namespace roster::store {

/// Indexes of the Agent store. Values are made by the functions below.
enum AgentIndex : size_t {
  kByNamespace,
  kByType,
  kByState,
  kByHealth,
  kByTypeState,
  kByNamespacedId,
  kByUid,
  kByMetricLabels,  ///< namespace, type, state and health together: what roster_agents counts.
};

using AgentStore = Store<api::Agent>;
using DeploymentStore = Store<api::Deployment>;
using ServiceStore = Store<api::Service>;
/// Index 0 lists pods by namespace and agent uid (PodsOf).
using PodStore = Store<api::Pod>;

/// Stores hold a lock and are not movable, hence the pointers.
std::unique_ptr<AgentStore> MakeAgentStore();
std::unique_ptr<PodStore> MakePodStore();

/// Joins index parts; no part may hold the separator, a NUL.
std::string JoinParts(std::initializer_list<std::string_view> parts);
std::vector<std::string_view> SplitParts(std::string_view joined);

/// Every Agent of `ns` that claims the flat id `agent_id`.
std::vector<AgentStore::Ptr> AgentsWithId(const AgentStore& agents, const std::string& ns,
                                          const std::string& agent_id);
/// The Agent of that uid, or null.
AgentStore::Ptr AgentWithUid(const AgentStore& agents, const std::string& uid);
std::vector<PodStore::Ptr> PodsOf(const PodStore& pods, const std::string& ns,
                                  const std::string& agent_uid);

}  // namespace roster::store
