// The API server's writes, without HTTP.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "api/meta.h"
#include "base/clock.h"
#include "fakes/managed_fields.h"
#include "fakes/object_rules.h"
#include "fakes/object_store.h"
#include "fakes/resource_type.h"
#include "fakes/status_answer.h"

namespace roster::fake {

/// Not thread-safe.
class ApiBackend {
 public:
  /// `clock` outlives the backend.
  explicit ApiBackend(const Clock& clock);

  struct Written {
    int code;  ///< 200 or 201.
    ObjectPtr object;
  };
  using Result = Outcome<Written>;

  Result Create(const ResourceType& type, const std::string& ns, json object,
                const std::string& manager);
  Result Update(const ResourceType& type, const api::ObjectKey& key, const Writer& writer,
                json object);
  Result MergePatch(const ResourceType& type, const api::ObjectKey& key, const Writer& writer,
                    const json& patch);
  Result JsonPatch(const ResourceType& type, const api::ObjectKey& key, const Writer& writer,
                   const json& operations);
  Result Apply(const ResourceType& type, const api::ObjectKey& key, const Writer& writer,
               const json& intent, bool force);

  struct Preconditions {
    std::string uid;
    std::string resource_version;
  };
  /// The object's last state; with a finalizer it is still there, and its deletionTimestamp is set.
  Outcome<ObjectPtr> Delete(const ResourceType& type, const api::ObjectKey& key,
                            const Preconditions& preconditions);

  /// Deletes what has owners, none of which exist any more.
  void CollectGarbage();
  /// The same, but only looks if there may be some since the last time.
  void CollectGarbageIfAny();

  /// Further resources may be added; references to types stay valid.
  std::vector<ResourceType>& types() { return types_; }
  const ResourceType& TypeOf(const json& object) const;
  const ResourceType& TypeOf(const kube::Resource& resource) const;
  ObjectStore& store() { return store_; }
  const ObjectStore& store() const { return store_; }
  static std::string StorageName(const ResourceType& type) {
    return type.group + "/" + type.plural;
  }

 private:
  /// Everything between a wanted state and storage. `managed` already knows of the write if
  /// `recorded`.
  Result Commit(const ResourceType& type, const api::ObjectKey& key, const Writer& writer,
                const ObjectPtr& live, json next, ManagedFields managed, bool recorded);
  Result Insert(const ResourceType& type, json object, ManagedFields managed,
                const Writer* recorded_for);
  ObjectPtr Find(const ResourceType& type, const api::ObjectKey& key) const {
    return store_.Find(StorageName(type), key);
  }
  ObjectPtr Remove(const ResourceType& type, const api::ObjectKey& key);
  /// It has owners, and none of them exists.
  bool IsOrphan(const json& object) const;
  std::string Now() const { return FormatTime(clock_.Wall()); }

  const Clock& clock_;
  std::vector<ResourceType> types_;
  ObjectRules rules_;
  ObjectStore store_;
  // uids of custom objects whose default status was never stored, only filled in on reading: their
  // first write counts as a change even if it changes nothing.
  std::unordered_set<std::string> status_not_stored_;
  bool garbage_possible_ = false;
  uint64_t uids_ = 0;
  uint64_t names_ = 0;
};

}  // namespace roster::fake
