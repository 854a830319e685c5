#include "fakes/managed_fields.h"

#include <algorithm>
#include <tuple>

#include "api/json.h"

namespace roster::fake {
namespace {

using api::StringOr;

constexpr std::string_view kApply = "Apply";
constexpr std::string_view kUpdate = "Update";

json MergeValue(const json& live, const json& intent, std::string_view name);

// Items keep their order on both sides as far as that is possible.
json MergeList(const json& live, const json& intent, std::string_view name) {
  const auto find = [&](const json& list, const std::string& step) {
    return Descend(list, step, name);
  };
  json merged = json::array();
  size_t next_live = 0;
  const auto copy_live_only = [&] {
    for (; next_live < live.size(); ++next_live) {
      const json& item = live[next_live];
      if (find(intent, StepTo(name, live, item)) != nullptr) return;
      merged.push_back(item);
    }
  };
  for (const json& item : intent) {
    copy_live_only();
    const std::string step = StepTo(name, intent, item);
    const json* old = find(live, step);
    merged.push_back(old != nullptr ? MergeValue(*old, item, {}) : item);
    if (next_live < live.size() && StepTo(name, live, live[next_live]) == step) ++next_live;
  }
  for (; next_live < live.size(); ++next_live) {
    if (find(intent, StepTo(name, live, live[next_live])) == nullptr)
      merged.push_back(live[next_live]);
  }
  return merged;
}

json MergeValue(const json& live, const json& intent, std::string_view name) {
  if (live.is_object() && intent.is_object() && !IsAtomicObject(name)) {
    json merged = live;
    for (const auto& [key, value] : intent.items()) {
      const auto old = live.find(key);
      merged[key] = old != live.end() ? MergeValue(*old, value, key) : value;
    }
    return merged;
  }
  if (live.is_array() && intent.is_array() && !live.empty() && !intent.empty() &&
      !StepTo(name, intent, intent.front()).empty()) {
    return MergeList(live, intent, name);
  }
  return intent;
}

// A null in an intent says nothing: it neither removes the field nor claims it.
json WithoutNulls(const json& value) {
  if (!value.is_structured()) return value;
  json result = value.is_object() ? json::object() : json::array();
  for (const auto& [key, child] : value.items()) {
    if (child.is_null()) continue;
    if (value.is_object()) {
      result[key] = WithoutNulls(child);
    } else {
      result.push_back(WithoutNulls(child));
    }
  }
  return result;
}

// An object or list that only held what goes, goes too.
void EraseWithEmptyParents(json& object, FieldPath path, const FieldSet& kept) {
  Erase(object, path);
  for (path.pop_back(); !path.empty() && !kept.HasAtOrBelow(path); path.pop_back()) {
    const json* parent = Find(object, path);
    if (parent == nullptr || !parent->empty()) return;
    Erase(object, path);
  }
}

struct Difference {
  FieldSet set;  // Added or changed.
  FieldSet removed;
};

Difference Compare(const json& before, const json& after) {
  const auto old_flat = FieldSet::Flatten(before);
  const auto new_flat = FieldSet::Flatten(after);
  Difference difference;
  for (const auto& [path, value] : new_flat) {
    const auto old = old_flat.find(path);
    if (old == old_flat.end() || old->second != value) difference.set.Insert(path);
  }
  for (const auto& [path, value] : old_flat) {
    if (!new_flat.contains(path)) difference.removed.Insert(path);
  }
  return difference;
}

}  // namespace

ManagedFields ManagedFields::Of(const json& object, const json& fallback) {
  const auto entries_of = [](const json& from) -> const json* {
    const json* metadata = api::FindMember(from, "metadata");
    const json* entries = metadata ? api::FindMember(*metadata, "managedFields") : nullptr;
    return entries != nullptr && !entries->empty() ? entries : nullptr;
  };
  const json* entries = entries_of(object);
  if (entries == nullptr) entries = entries_of(fallback);
  ManagedFields result;
  if (entries == nullptr) return result;
  for (const json& entry : *entries) {
    const json* fields = api::FindMember(entry, "fieldsV1");
    const Writer writer{StringOr(entry, "manager"), StringOr(entry, "subresource")};
    Entry& read =
        result.EntryOf(writer, StringOr(entry, "operation"), StringOr(entry, "apiVersion"));
    read.time = StringOr(entry, "time");
    read.fields = fields ? FieldSet::FromFieldsV1(*fields) : FieldSet();
  }
  return result;
}

void ManagedFields::Store(json& object) const {
  std::vector<Entry> sorted = entries_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.operation, a.time, a.manager, a.api_version, a.subresource) <
           std::tie(b.operation, b.time, b.manager, b.api_version, b.subresource);
  });
  json list = json::array();
  for (const Entry& entry : sorted) {
    json written = {{"manager", entry.manager},        {"operation", entry.operation},
                    {"apiVersion", entry.api_version}, {"time", entry.time},
                    {"fieldsType", "FieldsV1"},        {"fieldsV1", entry.fields.ToFieldsV1()}};
    if (!entry.subresource.empty()) written["subresource"] = entry.subresource;
    list.push_back(std::move(written));
  }
  if (list.empty()) {
    object["metadata"].erase("managedFields");
  } else {
    object["metadata"]["managedFields"] = std::move(list);
  }
}

void ManagedFields::RecordUpdate(const Writer& writer, std::string_view api_version,
                                 const std::string& now, const json& before, const json& after) {
  const Difference difference = Compare(before, after);
  for (Entry& entry : entries_) {
    entry.fields.Remove(difference.removed);
    if (entry.manager == writer.manager && entry.operation == kUpdate &&
        entry.subresource == writer.subresource)
      continue;
    entry.fields.Remove(difference.set);
  }
  if (!difference.set.empty()) {
    Entry& own = EntryOf(writer, kUpdate, api_version);
    own.fields.Add(difference.set);
    own.time = now;
  }
  DropEmpty();
}

ManagedFields::Applied ManagedFields::Apply(const Writer& writer, std::string_view api_version,
                                            const std::string& now, const json& live,
                                            const json& given, bool force) {
  const json intent = WithoutNulls(given);
  const FieldSet wanted = FieldSet::OfApplied(intent);
  Applied result{MergeValue(live, intent, {}), {}};

  const Difference changed = Compare(live, result.object);
  for (Entry& entry : entries_) {
    if (entry.manager == writer.manager && entry.operation == kApply) continue;
    FieldSet taken;
    for (const FieldPath& path : changed.set.paths()) {
      if (entry.fields.Has(path)) taken.Insert(path);
    }
    if (!force) {
      for (const FieldPath& path : taken.paths())
        result.conflicts.emplace_back(entry.manager, PrintPath(path));
    }
    entry.fields.Remove(taken);
  }

  Entry& own = EntryOf(writer, kApply, api_version);
  FieldSet kept = wanted;
  for (const Entry& entry : entries_) {
    if (&entry != &own) kept.Add(entry.fields);
  }
  for (const FieldPath& path : own.fields.paths()) {
    if (!kept.HasAtOrBelow(path)) EraseWithEmptyParents(result.object, path, kept);
  }
  if (own.fields != wanted || own.time.empty() || result.object != live) own.time = now;
  own.fields = wanted;
  DropEmpty();
  return result;
}

json ManagedFields::WithoutTimes(const json& object) {
  json copy = object;
  auto& metadata = copy["metadata"];
  if (metadata.contains("managedFields")) {
    for (json& entry : metadata["managedFields"]) entry.erase("time");
  }
  return copy;
}

ManagedFields::Entry& ManagedFields::EntryOf(const Writer& writer, std::string_view operation,
                                             std::string_view api_version) {
  for (Entry& entry : entries_) {
    if (entry.manager == writer.manager && entry.operation == operation &&
        entry.api_version == api_version && entry.subresource == writer.subresource) {
      return entry;
    }
  }
  entries_.push_back({writer.manager,
                      std::string(operation),
                      std::string(api_version),
                      writer.subresource,
                      {},
                      {}});
  return entries_.back();
}

void ManagedFields::DropEmpty() {
  std::erase_if(entries_, [](const Entry& entry) { return entry.fields.empty(); });
}

}  // namespace roster::fake
