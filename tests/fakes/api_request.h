// A request line taken apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "fakes/resource_type.h"
#include "kube/transport.h"

namespace roster::fake {

struct ApiRequest {
  /// "get", "list", "watch", "create", "apply", "patch" (a merge patch), "json-patch", "update",
  /// "delete".
  std::string verb;
  const ResourceType* type = nullptr;
  api::ObjectKey key;  ///< Namespace and name, either may be empty.
  std::string subresource;
  std::map<std::string, std::string> query;

  std::string Query(const std::string& name) const;
  bool Flag(const std::string& name) const { return Query(name) == "true"; }
};

std::string PercentDecode(std::string_view text);

/// nullopt if the path names none of `types` or the method cannot be used on it.
std::optional<ApiRequest> ParseApiRequest(const kube::Request& request,
                                          const std::vector<ResourceType>& types);

}  // namespace roster::fake
