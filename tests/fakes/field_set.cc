#include "fakes/field_set.h"

#include <algorithm>
#include <array>
#include <functional>

namespace roster::fake {
namespace {

constexpr std::string_view kItself = ".";

std::string NameOf(const std::string& step) {
  return step.starts_with("f:") ? step.substr(2) : std::string();
}

// A key that an item leaves to its default.
json KeyValue(const json& item, const std::string& key) {
  if (item.contains(key)) return item.at(key);
  return key == "protocol" ? json("TCP") : json();
}

// Written by the server or part of the object's address: nobody's fields.
bool IsUnmanaged(const FieldPath& path) {
  static const std::set<std::string> kMetadata = {"f:name",
                                                  "f:namespace",
                                                  "f:uid",
                                                  "f:resourceVersion",
                                                  "f:generation",
                                                  "f:selfLink",
                                                  "f:creationTimestamp",
                                                  "f:managedFields",
                                                  "f:deletionGracePeriodSeconds",
                                                  "f:deletionTimestamp"};
  if (path.size() == 1) return path[0] == "f:apiVersion" || path[0] == "f:kind";
  return path[0] == "f:metadata" && kMetadata.contains(path[1]);
}

// Calls `visit(path, value, inner)` for all below `value`; `inner` if it holds others.
using Visitor = std::function<void(const FieldPath&, const json&, bool)>;

void Walk(const json& value, std::string_view name, FieldPath& path, const Visitor& visit) {
  const auto down = [&](std::string step, const json& child, std::string_view child_name) {
    path.push_back(std::move(step));
    if (!IsUnmanaged(path)) Walk(child, child_name, path, visit);
    path.pop_back();
  };
  if (value.is_object() && !value.empty() && !IsAtomicObject(name)) {
    if (!path.empty()) visit(path, value, true);
    for (const auto& [key, child] : value.items()) down("f:" + key, child, key);
  } else if (value.is_array() && !value.empty() && !StepTo(name, value, value.front()).empty()) {
    visit(path, value, true);
    for (const json& item : value) down(StepTo(name, value, item), item, {});
  } else {
    visit(path, value, false);
  }
}

}  // namespace

bool HasPrefix(const FieldPath& path, const FieldPath& prefix) {
  return path.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

std::string PrintPath(const FieldPath& path) {
  std::string text;
  for (const std::string& step : path) {
    if (step.starts_with("f:")) {
      text += "." + step.substr(2);
    } else if (step.starts_with("k:")) {
      text += "[";
      const json keys = json::parse(step.substr(2));
      for (const auto& [key, value] : keys.items()) {
        if (text.back() != '[') text += ",";
        text += key + "=" + value.dump();
      }
      text += "]";
    } else {
      text += "[=" + step.substr(2) + "]";
    }
  }
  return text;
}

std::vector<std::string> ListKeys(std::string_view list_name, const json& list) {
  static const std::map<std::string_view, std::vector<std::string>> kKeys = {
      {"containers", {"name"}},
      {"initContainers", {"name"}},
      {"env", {"name"}},
      {"volumes", {"name"}},
      {"imagePullSecrets", {"name"}},
      {"volumeMounts", {"mountPath"}},
      {"volumeDevices", {"devicePath"}},
      {"ownerReferences", {"uid"}},
      {"conditions", {"type"}},
      {"hostAliases", {"ip"}},
      {"skills", {"id"}}};
  if (list_name == "ports") {
    // A container's are keyed otherwise than a Service's.
    const bool of_container = !list.empty() && list.front().contains("containerPort");
    return {of_container ? "containerPort" : "port", "protocol"};
  }
  const auto found = kKeys.find(list_name);
  return found == kKeys.end() ? std::vector<std::string>() : found->second;
}

bool IsAtomicObject(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kAtomic = {
      "selector",     "nodeSelector",    "fieldRef",      "resourceFieldRef",  "configMapKeyRef",
      "secretKeyRef", "podAffinityTerm", "labelSelector", "namespaceSelector", "podTemplate"};
  return std::find(kAtomic.begin(), kAtomic.end(), name) != kAtomic.end();
}

std::string StepTo(std::string_view list_name, const json& list, const json& item) {
  if (list_name == "finalizers") return "v:" + item.dump();
  const std::vector<std::string> keys = ListKeys(list_name, list);
  if (keys.empty() || !item.is_object()) return {};
  json step = json::object();
  for (const std::string& key : keys) step[key] = KeyValue(item, key);
  return "k:" + step.dump();
}

const json* Descend(const json& value, const std::string& step, std::string_view list_name) {
  if (step.starts_with("f:")) {
    const auto found = value.is_object() ? value.find(step.substr(2)) : value.end();
    return found == value.end() ? nullptr : &*found;
  }
  if (!value.is_array()) return nullptr;
  for (const json& item : value) {
    if (StepTo(list_name, value, item) == step) return &item;
  }
  return nullptr;
}

FieldSet FieldSet::OfApplied(const json& object) {
  FieldSet set;
  FieldPath path;
  Walk(object, {}, path, [&](const FieldPath& at, const json&, bool inner) {
    if (!inner || !at.back().starts_with("f:")) set.Insert(at);
  });
  return set;
}

std::map<FieldPath, json> FieldSet::Flatten(const json& object) {
  std::map<FieldPath, json> flat;
  FieldPath path;
  Walk(object, {}, path, [&](const FieldPath& at, const json& value, bool inner) {
    if (at == FieldPath{"f:metadata"}) return;
    flat.emplace(at, inner ? json() : value);
  });
  return flat;
}

FieldSet FieldSet::FromFieldsV1(const json& fields) {
  FieldSet set;
  FieldPath path;
  const std::function<void(const json&)> read = [&](const json& node) {
    for (const auto& [step, below] : node.items()) {
      if (step == kItself) {
        set.Insert(path);
        continue;
      }
      path.push_back(step);
      if (below.empty()) set.Insert(path);
      read(below);
      path.pop_back();
    }
  };
  if (fields.is_object()) read(fields);
  return set;
}

json FieldSet::ToFieldsV1() const {
  json root = json::object();
  for (const FieldPath& path : paths_) {
    json* node = &root;
    for (const std::string& step : path) node = &(*node)[step];
    if (node->is_null()) *node = json::object();
    // What stands below it comes next, if anything does.
    const auto next = std::next(paths_.find(path));
    if (next != paths_.end() && HasPrefix(*next, path))
      (*node)[std::string(kItself)] = json::object();
  }
  return root;
}

void FieldSet::Add(const FieldSet& other) {
  paths_.insert(other.paths_.begin(), other.paths_.end());
}

void FieldSet::Remove(const FieldSet& other) {
  for (const FieldPath& path : other.paths_) paths_.erase(path);
}

bool FieldSet::HasAtOrBelow(const FieldPath& path) const {
  // Sorted, so that what begins with `path` follows it.
  const auto at = paths_.lower_bound(path);
  return at != paths_.end() && HasPrefix(*at, path);
}

const json* Find(const json& object, const FieldPath& path) {
  const json* at = &object;
  std::string name;
  for (const std::string& step : path) {
    at = Descend(*at, step, name);
    if (at == nullptr) return nullptr;
    name = NameOf(step);
  }
  return at;
}

void Erase(json& object, const FieldPath& path) {
  // Points into `object`, which is ours to change.
  json* parent = const_cast<json*>(Find(object, {path.begin(), path.end() - 1}));
  if (parent == nullptr) return;
  const std::string name = path.size() > 1 ? NameOf(path[path.size() - 2]) : std::string();
  const std::string& last = path.back();
  if (last.starts_with("f:")) {
    if (parent->is_object()) parent->erase(last.substr(2));
    return;
  }
  if (!parent->is_array()) return;
  for (auto item = parent->begin(); item != parent->end(); ++item) {
    if (StepTo(name, *parent, *item) == last) {
      parent->erase(item);
      return;
    }
  }
}

}  // namespace roster::fake
