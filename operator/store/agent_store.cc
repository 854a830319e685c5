#include "store/agent_store.h"

namespace roster::store {
namespace {
constexpr char kSeparator = '\0';
}  // namespace

std::string JoinParts(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (const std::string_view part : parts) {
    joined += part;
    joined += kSeparator;
  }
  if (!joined.empty()) joined.pop_back();
  return joined;
}

std::vector<std::string_view> SplitParts(std::string_view joined) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = joined.find(kSeparator);
    parts.push_back(joined.substr(0, end));
    if (end == std::string_view::npos) return parts;
    joined.remove_prefix(end + 1);
  }
}

std::unique_ptr<AgentStore> MakeAgentStore() {
  using api::Agent;
  using Values = std::vector<std::string>;
  std::vector<IndexFn<Agent>> indexes(kByMetricLabels + 1);
  indexes[kByNamespace] = [](const Agent& a, Values& v) { v.push_back(a.meta.ns); };
  indexes[kByType] = [](const Agent& a, Values& v) { v.push_back(a.spec.type); };
  indexes[kByState] = [](const Agent& a, Values& v) { v.emplace_back(ToString(a.status.state)); };
  indexes[kByHealth] = [](const Agent& a, Values& v) { v.emplace_back(ToString(a.status.health)); };
  indexes[kByTypeState] = [](const Agent& a, Values& v) {
    v.push_back(JoinParts({a.spec.type, ToString(a.status.state)}));
  };
  indexes[kByNamespacedId] = [](const Agent& a, Values& v) {
    v.push_back(JoinParts({a.meta.ns, a.EffectiveId()}));
  };
  indexes[kByUid] = [](const Agent& a, Values& v) { v.push_back(a.meta.uid); };
  indexes[kByMetricLabels] = [](const Agent& a, Values& v) {
    v.push_back(
        JoinParts({a.meta.ns, a.spec.type, ToString(a.status.state), ToString(a.status.health)}));
  };
  return std::make_unique<AgentStore>(std::move(indexes));
}

std::unique_ptr<PodStore> MakePodStore() {
  std::vector<IndexFn<api::Pod>> indexes{[](const api::Pod& pod, std::vector<std::string>& values) {
    values.push_back(JoinParts({pod.meta.ns, pod.agent_uid}));
  }};
  return std::make_unique<PodStore>(std::move(indexes));
}

std::vector<AgentStore::Ptr> AgentsWithId(const AgentStore& agents, const std::string& ns,
                                          const std::string& agent_id) {
  return agents.Find(kByNamespacedId, JoinParts({ns, agent_id}));
}

AgentStore::Ptr AgentWithUid(const AgentStore& agents, const std::string& uid) {
  const auto found = agents.Find(kByUid, uid);
  return found.empty() ? nullptr : found.front();
}

std::vector<PodStore::Ptr> PodsOf(const PodStore& pods, const std::string& ns,
                                  const std::string& agent_uid) {
  return pods.Find(0, JoinParts({ns, agent_uid}));
}

}  // namespace roster::store
