// metadata.managedFields: who owns which field, kept as the API server keeps it, and server-side
// apply, which is decided by it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes/field_set.h"

namespace roster::fake {

/// Who writes, and by which door.
struct Writer {
  std::string manager;
  std::string subresource;
};

/// Not thread-safe.
class ManagedFields {
 public:
  /// Of the object's metadata; of `fallback`'s if the object has none, as the server does when a
  /// client leaves them out.
  static ManagedFields Of(const json& object, const json& fallback);

  /// Writes them into the object's metadata, in the server's order.
  void Store(json& object) const;

  /// Takes note of a write other than apply, which turned `before` into `after`.
  void RecordUpdate(const Writer& writer, std::string_view api_version, const std::string& now,
                    const json& before, const json& after);

  using Conflicts = std::vector<std::pair<std::string, std::string>>;  ///< Manager and path.
  struct Applied {
    json object;
    Conflicts conflicts;  ///< Without `force`: nothing may be written if there are any.
  };
  /// Merges `intent` into `live`: sets what it has, removes what this manager applied before and
  /// now leaves out, unless somebody else owns it too.
  Applied Apply(const Writer& writer, std::string_view api_version, const std::string& now,
                const json& live, const json& intent, bool force);

  /// The object without the times of its entries: what decides whether a write changes anything.
  static json WithoutTimes(const json& object);

 private:
  struct Entry {
    std::string manager;
    std::string operation;
    std::string api_version;
    std::string subresource;
    std::string time;
    FieldSet fields;
  };
  Entry& EntryOf(const Writer& writer, std::string_view operation, std::string_view api_version);
  void DropEmpty();

  std::vector<Entry> entries_;
};

}  // namespace roster::fake
