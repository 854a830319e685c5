#include "fakes/object_rules.h"

#include <fmt/format.h>

#include "api/json.h"

namespace roster::fake {
namespace {

using api::FindMember;
using api::IntOr;
using api::StringOr;

void SetDefault(json& object, const char* key, json value) {
  if (!object.contains(key)) object[key] = std::move(value);
}

// Typed objects have no place for a null.
void DropNulls(json& value) {
  if (value.is_object()) {
    for (auto entry = value.begin(); entry != value.end();) {
      if (entry->is_null()) {
        entry = value.erase(entry);
      } else {
        DropNulls(*entry);
        ++entry;
      }
    }
  } else if (value.is_array()) {
    for (json& item : value) DropNulls(item);
  }
}

void DefaultContainer(json& container) {
  SetDefault(container, "resources", json::object());
  SetDefault(container, "terminationMessagePath", "/dev/termination-log");
  SetDefault(container, "terminationMessagePolicy", "File");
  const std::string image = StringOr(container, "image");
  const size_t colon = image.rfind(':');
  const bool tagged = colon != std::string::npos && image.find('/', colon) == std::string::npos;
  const bool latest = !tagged || image.substr(colon) == ":latest";
  SetDefault(container, "imagePullPolicy", latest ? "Always" : "IfNotPresent");
  if (container.contains("ports")) {
    for (json& port : container["ports"]) SetDefault(port, "protocol", "TCP");
  }
}

void DefaultPodSpec(json& spec) {
  SetDefault(spec, "restartPolicy", "Always");
  SetDefault(spec, "terminationGracePeriodSeconds", 30);
  SetDefault(spec, "dnsPolicy", "ClusterFirst");
  SetDefault(spec, "securityContext", json::object());
  SetDefault(spec, "schedulerName", "default-scheduler");
  for (const char* list : {"containers", "initContainers"}) {
    if (!spec.contains(list)) continue;
    for (json& container : spec[list]) DefaultContainer(container);
  }
}

void DefaultDeployment(json& object) {
  json& spec = object["spec"];
  SetDefault(spec, "replicas", 1);
  SetDefault(spec, "revisionHistoryLimit", 10);
  SetDefault(spec, "progressDeadlineSeconds", 600);
  SetDefault(spec, "strategy", json::object());
  SetDefault(spec["strategy"], "type", "RollingUpdate");
  if (spec["strategy"]["type"] == "RollingUpdate") {
    SetDefault(spec["strategy"], "rollingUpdate", json::object());
    SetDefault(spec["strategy"]["rollingUpdate"], "maxSurge", "25%");
    SetDefault(spec["strategy"]["rollingUpdate"], "maxUnavailable", "25%");
  }
  if (spec.contains("template") && spec["template"].contains("spec"))
    DefaultPodSpec(spec["template"]["spec"]);
}

void DefaultService(json& object) {
  json& spec = object["spec"];
  SetDefault(spec, "type", "ClusterIP");
  SetDefault(spec, "sessionAffinity", "None");
  SetDefault(spec, "internalTrafficPolicy", "Cluster");
  SetDefault(spec, "ipFamilyPolicy", "SingleStack");
  SetDefault(spec, "ipFamilies", {"IPv4"});
  SetDefault(spec, "clusterIP", "10.96.0.10");
  SetDefault(spec, "clusterIPs", {spec["clusterIP"]});
  if (!spec.contains("ports")) return;
  for (json& port : spec["ports"]) {
    SetDefault(port, "protocol", "TCP");
    SetDefault(port, "targetPort", IntOr(port, "port"));
  }
}

void CheckContainers(const json& spec, std::vector<Cause>& causes) {
  const json* containers = FindMember(spec, "containers");
  if (containers == nullptr || containers->empty()) {
    causes.push_back({"FieldValueRequired", "Required value", "spec.template.spec.containers"});
    return;
  }
  for (size_t i = 0; i < containers->size(); ++i) {
    for (const char* field : {"name", "image"}) {
      if (StringOr((*containers)[i], field).empty()) {
        causes.push_back({"FieldValueRequired", "Required value",
                          fmt::format("spec.template.spec.containers[{}].{}", i, field)});
      }
    }
  }
}

void CheckDeployment(const json& object, const json* old, std::vector<Cause>& causes) {
  const json& spec = object.at("spec");
  if (const int64_t replicas = IntOr(spec, "replicas"); replicas < 0) {
    causes.push_back(
        {"FieldValueInvalid",
         fmt::format("Invalid value: {}: must be greater than or equal to 0", replicas),
         "spec.replicas"});
  }
  const json selector = spec.value("selector", json::object());
  const json wanted = selector.value("matchLabels", json::object());
  const json metadata = spec.value("template", json::object()).value("metadata", json::object());
  const json labels = metadata.value("labels", json::object());
  if (wanted.empty()) causes.push_back({"FieldValueRequired", "Required value", "spec.selector"});
  for (const auto& [key, value] : wanted.items()) {
    if (labels.value(key, json()) == value) continue;
    causes.push_back({"FieldValueInvalid",
                      fmt::format("Invalid value: {}: `selector` does not match template `labels`",
                                  labels.dump()),
                      "spec.template.metadata.labels"});
    break;
  }
  CheckContainers(spec.value("template", json::object()).value("spec", json::object()), causes);
  const json strategy = spec.value("strategy", json::object());
  if (StringOr(strategy, "type") == "Recreate" && strategy.contains("rollingUpdate")) {
    causes.push_back({"FieldValueForbidden",
                      "Forbidden: may not be specified when strategy `type` is 'Recreate'",
                      "spec.strategy.rollingUpdate"});
  }
  if (old != nullptr && old->at("spec").value("selector", json::object()) != selector) {
    causes.push_back({"FieldValueInvalid",
                      fmt::format("Invalid value: {}: field is immutable", selector.dump()),
                      "spec.selector"});
  }
}

void CheckService(const json& object, std::vector<Cause>& causes) {
  const json ports = object.at("spec").value("ports", json::array());
  if (ports.empty()) causes.push_back({"FieldValueRequired", "Required value", "spec.ports"});
  for (size_t i = 0; i < ports.size(); ++i) {
    const int64_t port = IntOr(ports[i], "port");
    if (port < 1 || port > 65535) {
      causes.push_back(
          {"FieldValueInvalid",
           fmt::format("Invalid value: {}: must be between 1 and 65535, inclusive", port),
           fmt::format("spec.ports[{}].port", i)});
    }
  }
}

void CheckEvent(const json& object, std::vector<Cause>& causes) {
  if (StringOr(object, "eventTime").empty())
    causes.push_back({"FieldValueRequired", "Required value", "eventTime"});
  const std::string type = StringOr(object, "type");
  if (type != "Normal" && type != "Warning") {
    causes.push_back({"FieldValueInvalid",
                      fmt::format("Invalid value: \"{}\": has invalid value: {}", type, type),
                      "type"});
  }
  for (const char* field : {"reportingController", "reportingInstance", "action", "reason"}) {
    if (StringOr(object, field).empty())
      causes.push_back({"FieldValueRequired", "Required value", field});
  }
}

}  // namespace

ObjectRules::ObjectRules() : agents_(AgentDefinition()) {}

void ObjectRules::Normalize(const ResourceType& type, json& object) const {
  if (type.Is(kube::kAgents)) {
    agents_.Prune(object);
    DropNulls(object["metadata"]);
    agents_.Default(object);
    return;
  }
  DropNulls(object);
  if (type.Is(kube::kDeployments)) DefaultDeployment(object);
  if (type.Is(kube::kServices)) DefaultService(object);
  if (type.Is(kube::kPods) && object.contains("spec")) DefaultPodSpec(object["spec"]);
}

std::vector<Cause> ObjectRules::Validate(const ResourceType& type, const json& object,
                                         const json* old) const {
  std::vector<Cause> causes;
  if (type.Is(kube::kAgents)) {
    causes = agents_.Validate(object);
    if (!causes.empty()) {
      causes.push_back({"FieldValueInvalid",
                        "Invalid value: null: some validation rules were not checked because the "
                        "object was invalid; "
                        "correct the existing errors to complete validation",
                        "<nil>"});
    }
  }
  if (type.Is(kube::kDeployments)) CheckDeployment(object, old, causes);
  if (type.Is(kube::kServices)) CheckService(object, causes);
  if (type.Is(kube::kEvents)) CheckEvent(object, causes);
  return causes;
}

}  // namespace roster::fake
