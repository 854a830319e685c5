// Storage with history, as etcd and the watch cache keep it together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "api/meta.h"

namespace roster::fake {

using nlohmann::json;
using ObjectPtr = std::shared_ptr<const json>;
/// Sorted as a LIST is: by namespace, then name.
using ObjectMap = std::map<api::ObjectKey, ObjectPtr>;

struct Change {
  uint64_t version;
  std::string resource;  ///< "GROUP/PLURAL".
  api::ObjectKey key;
  ObjectPtr before;  ///< nullptr: created.
  ObjectPtr after;   ///< nullptr: deleted.
};

/// One counter of versions over all resources. Not thread-safe.
class ObjectStore {
 public:
  /// The first version is not 1: on a real server no resource's history goes back that far either.
  ObjectStore() : version_(kFirstVersion), compacted_(kFirstVersion) {}

  uint64_t version() const { return version_; }
  /// Changes up to this version are no longer to be had.
  uint64_t compacted() const { return compacted_; }

  ObjectPtr Find(const std::string& resource, const api::ObjectKey& key) const;
  const ObjectMap& All(const std::string& resource) const;
  /// Whether an object of any resource has that uid.
  bool HasUid(const std::string& uid) const { return uids_.contains(uid); }
  /// The state as it was at `version`.
  ObjectMap AllAt(const std::string& resource, uint64_t version) const;

  /// Stores the object under a new version, which it writes into its metadata. Returns what is
  /// stored.
  ObjectPtr Write(const std::string& resource, const api::ObjectKey& key, json object);
  /// Returns the last state, with the version of its deletion.
  ObjectPtr Remove(const std::string& resource, const api::ObjectKey& key);

  /// Changes after `version`, oldest first.
  std::vector<Change> Since(const std::string& resource, uint64_t version) const;

  void Compact() { compacted_ = version_; }
  /// Back to the state at `version`, with the counter: as a cluster is whose etcd was restored from
  /// a backup.
  void Rewind(uint64_t version);

 private:
  static constexpr uint64_t kFirstVersion = 1000;

  void Append(const std::string& resource, const api::ObjectKey& key, ObjectPtr before,
              ObjectPtr after);

  uint64_t version_;
  uint64_t compacted_;
  std::map<std::string, ObjectMap> objects_;
  std::unordered_set<std::string> uids_;
  // Per resource, by version.
  std::map<std::string, std::vector<Change>> history_;
};

}  // namespace roster::fake
