#include "api/meta.h"

#include <algorithm>

namespace roster::api {

const std::string* Find(const StringMap& map, std::string_view key) {
  const auto it =
      std::lower_bound(map.begin(), map.end(), key,
                       [](const auto& entry, std::string_view k) { return entry.first < k; });
  return it != map.end() && it->first == key ? &it->second : nullptr;
}

}  // namespace roster::api
