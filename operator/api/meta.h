// What Roster keeps of an object's metadata.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace roster::api {

/// Sorted by key; small and flat, because there are many of them and each is short.
using StringMap = std::vector<std::pair<std::string, std::string>>;
/// The value of `key`, or nullptr. Valid as long as the map is.
const std::string* Find(const StringMap& map, std::string_view key);

/// Names one object of one resource.
struct ObjectKey {
  std::string ns;
  std::string name;

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
  /// "ns/name", for logs.
  std::string ToString() const { return ns + "/" + name; }
};

struct ObjectMeta {
  std::string ns;
  std::string name;
  std::string uid;
  /// Compared as a number, within one resource only. 0 if there is none.
  uint64_t resource_version = 0;
  int64_t generation = 0;
  WallTime creation_time{};
  bool deleting = false;  ///< metadata.deletionTimestamp is set.

  ObjectKey key() const { return {ns, name}; }
};

/// Who else may claim a child: the uid and name of its controller owner, empty if it has none.
struct ControllerRef {
  std::string kind;
  std::string name;
  std::string uid;
};

}  // namespace roster::api

template <>
struct std::hash<roster::api::ObjectKey> {
  size_t operator()(const roster::api::ObjectKey& key) const noexcept {
    const size_t a = std::hash<std::string>{}(key.ns);
    const size_t b = std::hash<std::string>{}(key.name);
    return a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));
  }
};
