#include "agents/manifests.h"

#include <fmt/format.h>

#include "agents/facts.h"
#include "api/json.h"
#include "api/names.h"

namespace roster::agents {
namespace {

using nlohmann::json;
namespace label = api::label;

json MakeMetadata(const api::Agent& agent) {
  return {{"name", agent.meta.name},
          {"namespace", agent.meta.ns},
          {"labels",
           {{label::kManagedBy, label::kManagedByRoster},
            {label::kAppName, agent.meta.name},
            {label::kAgentUid, agent.meta.uid},
            {label::kType, agent.spec.type}}},
          {"ownerReferences", json::array({{{"apiVersion", api::kApiVersion},
                                            {"kind", api::kAgentKind},
                                            {"name", agent.meta.name},
                                            {"uid", agent.meta.uid},
                                            {"controller", true}}})}};
}

void StampHash(json& manifest) {
  const uint64_t hash = api::StableHash(api::DumpJson(manifest));
  manifest["metadata"]["annotations"][std::string(api::annotation::kIntentHash)] =
      fmt::format("{:016x}", hash);
}

}  // namespace

json MakeDeployment(const api::Agent& agent, json pod_template) {
  json spec{{"replicas", WantedReplicas(agent.spec)},
            {"revisionHistoryLimit", 3},
            {"selector", {{"matchLabels", {{label::kAgentUid, agent.meta.uid}}}}},
            {"template", std::move(pod_template)}};
  // A resident agent must never run twice, not even while it is rolled. The other strategy's
  // settings are taken along, so that a change of strategy leaves nothing behind that the new one
  // forbids.
  if (agent.spec.resident) {
    spec["strategy"] = {{"type", "Recreate"}, {"rollingUpdate", nullptr}};
  } else {
    spec["strategy"] = {{"type", "RollingUpdate"},
                        {"rollingUpdate", {{"maxSurge", "25%"}, {"maxUnavailable", "25%"}}}};
  }
  json manifest{{"apiVersion", "apps/v1"},
                {"kind", "Deployment"},
                {"metadata", MakeMetadata(agent)},
                {"spec", std::move(spec)}};
  StampHash(manifest);
  return manifest;
}

json MakeService(const api::Agent& agent) {
  const int32_t port = agent.spec.workload->port.value();
  json selector{{label::kAgentUid, agent.meta.uid}};
  if (agent.spec.desired_state != api::DesiredState::kRunning)
    selector[std::string(label::kPaused)] = "true";
  json manifest{{"apiVersion", "v1"},
                {"kind", "Service"},
                {"metadata", MakeMetadata(agent)},
                {"spec",
                 {{"type", "ClusterIP"},
                  {"selector", std::move(selector)},
                  {"ports", json::array({{{"name", api::kPortName},
                                          {"port", port},
                                          {"targetPort", port},
                                          {"protocol", "TCP"}}})}}}};
  StampHash(manifest);
  return manifest;
}

std::string IntentHash(const json& manifest) {
  return manifest["metadata"]["annotations"][std::string(api::annotation::kIntentHash)]
      .get<std::string>();
}

std::string PodSelector(const api::Agent& agent) {
  return fmt::format("{}={}", label::kAgentUid, agent.meta.uid);
}

std::string EndpointUrl(const api::Agent& agent) {
  if (const auto& workload = agent.spec.workload) {
    return workload->port
               ? fmt::format("http://{}.{}.svc:{}", agent.meta.name, agent.meta.ns, *workload->port)
               : "";
  }
  const auto& endpoint = agent.spec.endpoint;
  if (!endpoint || endpoint->host.empty()) return "";
  const bool bare_ipv6 =
      endpoint->host.find(':') != std::string::npos && endpoint->host.front() != '[';
  std::string url = fmt::format("{}://", endpoint->scheme);
  url += bare_ipv6 ? fmt::format("[{}]", endpoint->host) : endpoint->host;
  if (endpoint->port) url += fmt::format(":{}", *endpoint->port);
  return url;
}

}  // namespace roster::agents
