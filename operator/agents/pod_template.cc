#include "agents/pod_template.h"

#include <fmt/format.h>

#include "api/json.h"
#include "api/names.h"

namespace roster::agents {
namespace {

using api::FindMember;
using nlohmann::json;

Error Refuse(std::string_view field, std::string_view value, std::string_view allowed) {
  return {ErrorKind::kInvalid, fmt::format("spec.workload.{}: \"{}\": {}", field, value, allowed)};
}

// The element of a list of objects whose name is `name`; added at the end if there is none.
json& Named(json& list, const std::string& name, bool at_front = false) {
  for (json& element : list) {
    if (api::StringOr(element, "name") == name) return element;
  }
  json element{{"name", name}};
  if (at_front) return *list.insert(list.begin(), std::move(element));
  list.push_back(std::move(element));
  return list.back();
}

// What is null is as good as absent.
Status CheckObject(const json& value, const std::string& path) {
  if (value.is_null() || value.is_object()) return Ok();
  return Refuse(path, value.type_name(), "must be an object");
}

enum class Elements { kObjects, kNamedObjects };

Status CheckList(const json& object, const char* key, const std::string& parent,
                 Elements elements) {
  const json* list = FindMember(object, key);
  if (list == nullptr) return Ok();
  const std::string path = parent + "." + key;
  if (!list->is_array()) return Refuse(path, list->type_name(), "must be a list");
  for (const json& element : *list) {
    if (!element.is_object()) {
      return Refuse(path, element.type_name(), "must be a list of objects");
    }
    if (elements == Elements::kObjects) continue;
    const json* name = FindMember(element, "name");
    if (name == nullptr || !name->is_string()) {
      return Refuse(path, "(no name)", "every element needs a name, because lists merge by it");
    }
  }
  return Ok();
}

Status CheckShape(const json& pod_template) {
  if (Status ok = CheckObject(pod_template, "podTemplate"); !ok) return ok;
  for (const auto& [key, value] : pod_template.items()) {
    if (key != "metadata" && key != "spec") {
      return Refuse("podTemplate." + key, key, "only metadata and spec are allowed");
    }
    if (Status ok = CheckObject(value, "podTemplate." + key); !ok) return ok;
  }
  if (const json* metadata = FindMember(pod_template, "metadata")) {
    for (const auto& [key, value] : metadata->items()) {
      const std::string path = "podTemplate.metadata." + key;
      if (key != "labels" && key != "annotations") {
        return Refuse(path, key, "only labels and annotations are allowed");
      }
      if (Status ok = CheckObject(value, path); !ok) return ok;
    }
  }
  const json* spec = FindMember(pod_template, "spec");
  if (spec == nullptr) return Ok();
  for (const char* key : {"containers", "initContainers", "volumes"}) {
    if (Status ok = CheckList(*spec, key, "podTemplate.spec", Elements::kNamedObjects); !ok) {
      return ok;
    }
  }
  const json* containers = FindMember(*spec, "containers");
  if (containers == nullptr) return Ok();
  for (const json& container : *containers) {
    const std::string path =
        fmt::format("podTemplate.spec.containers[{}]", api::StringOr(container, "name"));
    if (Status ok = CheckList(container, "env", path, Elements::kNamedObjects); !ok) return ok;
    if (Status ok = CheckList(container, "ports", path, Elements::kObjects); !ok) return ok;
  }
  return Ok();
}

void LayContainerFields(const api::Workload& workload, const json& rest, json& container) {
  container["image"] = workload.image;
  for (const char* key : {"command", "args", "envFrom", "resources"}) {
    if (const json* value = FindMember(rest, key)) container[key] = *value;
  }
  if (const json* env = FindMember(rest, "env")) {
    json& list = container["env"];
    if (!list.is_array()) list = json::array();
    // Replaced whole: a value must not survive beside a valueFrom.
    for (const json& entry : *env) Named(list, api::StringOr(entry, "name")) = entry;
  }
  if (workload.port) {
    json& ports = container["ports"];
    if (!ports.is_array()) ports = json::array();
    for (const json& port : ports) {
      if (api::IntOr(port, "containerPort") == *workload.port &&
          api::StringOr(port, "protocol", "TCP") == "TCP")
        return;
    }
    json port{{"containerPort", *workload.port}, {"protocol", "TCP"}};
    bool http_taken = false;
    for (const json& other : ports)
      http_taken = http_taken || api::StringOr(other, "name") == api::kPortName;
    if (!http_taken) port["name"] = api::kPortName;
    ports.push_back(std::move(port));
  }
}

json& Object(json& parent, const char* key) {
  json& child = parent[key];
  if (!child.is_object()) child = json::object();
  return child;
}

}  // namespace

Result<json> MakePodTemplate(const api::Agent& agent, const Settings& settings) {
  const api::Workload& workload = *agent.spec.workload;
  json rest = json::object();
  if (!workload.rest.empty()) {
    auto parsed = api::ParseJson(workload.rest);
    if (!parsed) return parsed.error();
    rest = std::move(*parsed);
  }
  json pod = json::object();
  if (const json* pod_template = FindMember(rest, "podTemplate")) {
    const size_t size = api::DumpJson(*pod_template).size();
    if (size > settings.max_pod_template) {
      return Refuse("podTemplate", fmt::format("{} bytes", size),
                    fmt::format("at most {} bytes of JSON are allowed", settings.max_pod_template));
    }
    if (Status ok = CheckShape(*pod_template); !ok) return ok.error();
    pod = *pod_template;
  }

  json& metadata = Object(pod, "metadata");
  json& labels = Object(metadata, "labels");
  labels[std::string(api::label::kManagedBy)] = api::label::kManagedByRoster;
  labels[std::string(api::label::kAppName)] = agent.meta.name;
  labels[std::string(api::label::kAgentUid)] = agent.meta.uid;
  labels[std::string(api::label::kType)] = agent.spec.type;
  labels.erase(std::string(api::label::kPaused));  // no pod may match a paused Service
  if (!agent.spec.restarted_at.empty()) {
    Object(metadata, "annotations")[std::string(api::annotation::kRestartedAt)] =
        agent.spec.restarted_at;
  }

  json& spec = Object(pod, "spec");
  json& containers = spec["containers"];
  if (!containers.is_array()) containers = json::array();
  try {
    LayContainerFields(workload, rest, Named(containers, std::string(api::kMainContainer), true));
  } catch (const json::exception& e) {
    return Refuse("podTemplate.spec.containers", "(wrong type)", e.what());
  }
  for (const char* key : {"serviceAccountName", "imagePullSecrets"}) {
    if (const json* value = FindMember(rest, key)) spec[key] = *value;
  }
  return pod;
}

}  // namespace roster::agents
