#include "fakes/object_store.h"

#include <algorithm>
#include <utility>

namespace roster::fake {
namespace {

std::string UidOf(const json& object) {
  return object.at("metadata").at("uid").get<std::string>();
}

auto FirstAfter(const std::vector<Change>& history, uint64_t version) {
  return std::upper_bound(history.begin(), history.end(), version,
                          [](uint64_t v, const Change& change) { return v < change.version; });
}

}  // namespace

ObjectPtr ObjectStore::Find(const std::string& resource, const api::ObjectKey& key) const {
  const ObjectMap& all = All(resource);
  const auto found = all.find(key);
  return found == all.end() ? nullptr : found->second;
}

const ObjectMap& ObjectStore::All(const std::string& resource) const {
  static const ObjectMap kNone;
  const auto found = objects_.find(resource);
  return found == objects_.end() ? kNone : found->second;
}

ObjectMap ObjectStore::AllAt(const std::string& resource, uint64_t version) const {
  ObjectMap state = All(resource);
  const auto history = history_.find(resource);
  if (history == history_.end()) return state;
  const auto first = FirstAfter(history->second, version);
  for (auto change = history->second.end(); change != first;) {
    --change;
    if (change->before) {
      state[change->key] = change->before;
    } else {
      state.erase(change->key);
    }
  }
  return state;
}

ObjectPtr ObjectStore::Write(const std::string& resource, const api::ObjectKey& key, json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  auto stored = std::make_shared<const json>(std::move(object));
  uids_.insert(UidOf(*stored));
  ObjectPtr& slot = objects_[resource][key];
  Append(resource, key, std::exchange(slot, stored), stored);
  return stored;
}

ObjectPtr ObjectStore::Remove(const std::string& resource, const api::ObjectKey& key) {
  auto& all = objects_[resource];
  const auto found = all.find(key);
  if (found == all.end()) return nullptr;
  const ObjectPtr before = found->second;
  all.erase(found);
  uids_.erase(UidOf(*before));
  ++version_;
  Append(resource, key, before, nullptr);
  json last = *before;
  last["metadata"]["resourceVersion"] = std::to_string(version_);
  return std::make_shared<const json>(std::move(last));
}

std::vector<Change> ObjectStore::Since(const std::string& resource, uint64_t version) const {
  const auto history = history_.find(resource);
  if (history == history_.end()) return {};
  return {FirstAfter(history->second, version), history->second.end()};
}

void ObjectStore::Rewind(uint64_t version) {
  for (auto& [resource, history] : history_) {
    objects_[resource] = AllAt(resource, version);
    history.erase(FirstAfter(history, version), history.end());
  }
  uids_.clear();
  for (const auto& [resource, all] : objects_) {
    for (const auto& [key, object] : all) uids_.insert(UidOf(*object));
  }
  version_ = version;
  compacted_ = std::min(compacted_, version);
}

void ObjectStore::Append(const std::string& resource, const api::ObjectKey& key, ObjectPtr before,
                         ObjectPtr after) {
  history_[resource].push_back({version_, resource, key, std::move(before), std::move(after)});
}

}  // namespace roster::fake
