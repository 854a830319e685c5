#include "fakes/resource_type.h"

namespace roster::fake {

std::vector<ResourceType> StandardResourceTypes() {
  const auto type = [](const kube::Resource& r) {
    ResourceType result;
    result.group = r.group;
    result.version = r.version;
    result.plural = r.plural;
    result.kind = r.kind;
    return result;
  };
  const auto with_spec = [&](const kube::Resource& r) {
    ResourceType result = type(r);
    result.has_status = result.has_generation = true;
    return result;
  };
  ResourceType agents = with_spec(kube::kAgents);
  agents.custom = true;
  ResourceType services = type(kube::kServices);
  services.has_status = true;
  ResourceType definitions = with_spec(kube::kCustomResourceDefinitions);
  definitions.namespaced = false;
  ResourceType namespaces = type({"", "v1", "namespaces", "Namespace"});
  namespaces.namespaced = false;
  return {agents,
          with_spec(kube::kDeployments),
          with_spec({"apps", "v1", "replicasets", "ReplicaSet"}),
          services,
          with_spec(kube::kPods),
          type(kube::kEvents),
          type(kube::kLeases),
          definitions,
          namespaces};
}

}  // namespace roster::fake
