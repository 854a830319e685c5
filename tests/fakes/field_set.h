// Sets of fields of an object, as metadata.managedFields has them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace roster::fake {

using nlohmann::json;

/// Steps from the root: "f:NAME" into an object, "k:{...}" to an item of a list that is keyed
/// (containers by name), "v:VALUE" to an item of a set (finalizers).
using FieldPath = std::vector<std::string>;

/// True if `path` begins with all of `prefix`.
bool HasPrefix(const FieldPath& path, const FieldPath& prefix);
/// ".spec.template.spec.containers[name=\"agent\"].args", as conflicts name it.
std::string PrintPath(const FieldPath& path);

/// Which lists have keys, and which objects and lists are one value as a whole: a table of the
/// fields by name, for the types that Roster writes. Source: x-kubernetes-list-type, -list-map-keys
/// and -map-type in the API's OpenAPI document.
std::vector<std::string> ListKeys(std::string_view list_name, const json& list);
bool IsAtomicObject(std::string_view name);

/// The step to `item` of the list called `list_name`; empty if the list is one value as a whole.
std::string StepTo(std::string_view list_name, const json& list, const json& item);

/// The child of `value` one step down, or nullptr.
const json* Descend(const json& value, const std::string& step, std::string_view list_name);

class FieldSet {
 public:
  /// What somebody who writes `object` by server-side apply owns: every value in it and every item
  /// of a keyed list, but not the objects and lists on the way.
  static FieldSet OfApplied(const json& object);

  /// Each path of `object` with its value; null for what only holds others.
  static std::map<FieldPath, json> Flatten(const json& object);

  static FieldSet FromFieldsV1(const json& fields);
  json ToFieldsV1() const;

  void Insert(FieldPath path) { paths_.insert(std::move(path)); }
  void Add(const FieldSet& other);
  void Remove(const FieldSet& other);
  bool Has(const FieldPath& path) const { return paths_.contains(path); }
  /// True if it holds `path` or anything below.
  bool HasAtOrBelow(const FieldPath& path) const;
  bool empty() const { return paths_.empty(); }
  const std::set<FieldPath>& paths() const { return paths_; }

  friend bool operator==(const FieldSet&, const FieldSet&) = default;

 private:
  std::set<FieldPath> paths_;
};

/// What `path` leads to, or nullptr.
const json* Find(const json& object, const FieldPath& path);
/// Removes it, if it is there.
void Erase(json& object, const FieldPath& path);

}  // namespace roster::fake
