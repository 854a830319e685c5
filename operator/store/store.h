// The local copy of one resource: what the API server has told us, by key and by index.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/meta.h"
#include "base/guarded.h"

namespace roster::store {

/// The values under which an index lists a record; none, one or several.
template <class T>
using IndexFn = std::function<void(const T&, std::vector<std::string>& values)>;

/// Thread-safe. One writer (the resource's Informer), any number of readers; readers get snapshots
/// that never change. `T` has a member `meta` of type api::ObjectMeta.
template <class T>
class Store {
 public:
  using Ptr = std::shared_ptr<const T>;

  /// What a write changed: `before` is null for a new record, `after` for a deleted one.
  struct Change {
    Ptr before;
    Ptr after;
  };

  explicit Store(std::vector<IndexFn<T>> indexes = {}) : state_(std::move(indexes)) {}

  Ptr Get(const api::ObjectKey& key) const {
    return state_.Read([&](const State& s) {
      const auto it = s.records.find(key);
      return it == s.records.end() ? nullptr : it->second;
    });
  }

  /// All records that index number `index` lists under `value`, in no order.
  std::vector<Ptr> Find(size_t index, const std::string& value) const {
    return state_.Read([&](const State& s) {
      const auto& buckets = s.indexes.at(index).buckets;
      const auto it = buckets.find(value);
      return it == buckets.end() ? std::vector<Ptr>()
                                 : std::vector<Ptr>(it->second.begin(), it->second.end());
    });
  }

  /// How many records index number `index` lists under each value. Costs the number of values, not
  /// of records.
  std::map<std::string, size_t> Counts(size_t index) const {
    return state_.Read([&](const State& s) {
      std::map<std::string, size_t> counts;
      for (const auto& [value, bucket] : s.indexes.at(index).buckets)
        counts.emplace(value, bucket.size());
      return counts;
    });
  }

  /// Every record, in no order: pointers, not copies.
  std::vector<Ptr> All() const {
    return state_.Read([](const State& s) {
      std::vector<Ptr> all;
      all.reserve(s.records.size());
      for (const auto& [key, record] : s.records) all.push_back(record);
      return all;
    });
  }

  size_t size() const {
    return state_.Read([](const State& s) { return s.records.size(); });
  }

  /// True once every scope that feeds this store has been listed whole.
  bool synced() const {
    return state_.Read([](const State& s) {
      return !s.scopes.empty() &&
             std::all_of(s.scopes.begin(), s.scopes.end(),
                         [](const auto& scope) { return scope.second.synced; });
    });
  }

  /// The newest resource version seen in the scope that holds namespace `ns`, bookmarks included; 0
  /// before the first list.
  uint64_t Version(const std::string& ns) const {
    return state_.Read([&](const State& s) {
      auto it = s.scopes.find(ns);
      if (it == s.scopes.end()) it = s.scopes.find("");
      return it == s.scopes.end() ? 0 : it->second.version;
    });
  }

  // ---- for the Informer alone ----

  /// Says that an Informer will feed namespace `scope` ("" is all of them); before that the store
  /// is never synced.
  void AddScope(const std::string& scope) {
    state_.Write([&](State& s) { s.scopes.try_emplace(scope); });
  }

  Change Put(const std::string& scope, Ptr record) {
    return state_.Write([&](State& s) {
      s.Saw(scope, record->meta.resource_version);
      return s.Put(std::move(record));
    });
  }

  Change Erase(const std::string& scope, const api::ObjectKey& key, uint64_t version) {
    return state_.Write([&](State& s) {
      s.Saw(scope, version);
      return s.Erase(key);
    });
  }

  /// Makes `records` all there is in `scope`, at `version`, and returns the differences; what did
  /// not change is not among them.
  std::vector<Change> Replace(const std::string& scope, std::vector<Ptr> records,
                              uint64_t version) {
    return state_.Write([&](State& s) {
      std::vector<Change> changes;
      std::unordered_set<api::ObjectKey> kept;
      kept.reserve(records.size());
      for (Ptr& record : records) {
        const api::ObjectKey key = record->meta.key();
        kept.insert(key);
        const auto it = s.records.find(key);
        if (it != s.records.end() &&
            it->second->meta.resource_version == record->meta.resource_version &&
            it->second->meta.uid == record->meta.uid) {
          continue;
        }
        changes.push_back(s.Put(std::move(record)));
      }
      std::vector<api::ObjectKey> gone;
      for (const auto& [key, record] : s.records) {
        if ((scope.empty() || key.ns == scope) && !kept.contains(key)) gone.push_back(key);
      }
      for (const api::ObjectKey& key : gone) changes.push_back(s.Erase(key));
      // A replaced scope may have gone back in time (a restored etcd): its version is what the list
      // says.
      s.scopes[scope] = {version, true};
      return changes;
    });
  }

  void Bookmark(const std::string& scope, uint64_t version) {
    state_.Write([&](State& s) { s.Saw(scope, version); });
  }

 private:
  struct Index {
    IndexFn<T> values_of;
    std::unordered_map<std::string, std::unordered_set<Ptr>> buckets;
  };

  struct Scope {
    uint64_t version = 0;
    bool synced = false;
  };

  struct State {
    explicit State(std::vector<IndexFn<T>> fns) {
      for (auto& fn : fns) indexes.push_back({std::move(fn), {}});
    }

    void Saw(const std::string& scope, uint64_t version) {
      Scope& seen = scopes[scope];
      seen.version = std::max(seen.version, version);
    }

    Change Put(Ptr record) {
      Ptr& slot = records[record->meta.key()];
      Change change{slot, record};
      if (slot) Unlist(slot);
      List(record);
      slot = std::move(record);
      return change;
    }

    Change Erase(const api::ObjectKey& key) {
      const auto it = records.find(key);
      if (it == records.end()) return {};
      Change change{std::move(it->second), nullptr};
      Unlist(change.before);
      records.erase(it);
      return change;
    }

    void List(const Ptr& record) {
      std::vector<std::string> values;
      for (Index& index : indexes) {
        values.clear();
        index.values_of(*record, values);
        for (std::string& value : values) index.buckets[std::move(value)].insert(record);
      }
    }

    void Unlist(const Ptr& record) {
      std::vector<std::string> values;
      for (Index& index : indexes) {
        values.clear();
        index.values_of(*record, values);
        for (const std::string& value : values) {
          const auto bucket = index.buckets.find(value);
          if (bucket == index.buckets.end()) continue;
          bucket->second.erase(record);
          if (bucket->second.empty()) index.buckets.erase(bucket);
        }
      }
    }

    std::unordered_map<api::ObjectKey, Ptr> records;
    std::vector<Index> indexes;
    std::map<std::string, Scope> scopes;
  };

  SharedGuarded<State> state_;
};

}  // namespace roster::store
