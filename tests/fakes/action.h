// One request that reached the API server, for tests to compare.
#pragma once

#include <ostream>
#include <string>

namespace roster::fake {

struct Action {
  std::string verb;      ///< As in ApiRequest.
  std::string resource;  ///< Plural name.
  std::string ns;
  std::string name;
  std::string subresource = {};

  friend bool operator==(const Action&, const Action&) = default;
  /// "create deployments ns/name", "patch agents ns/name/status".
  friend std::ostream& operator<<(std::ostream& out, const Action& action) {
    out << action.verb << ' ' << action.resource << ' ' << action.ns;
    if (!action.name.empty()) out << '/' << action.name;
    if (!action.subresource.empty()) out << '/' << action.subresource;
    return out;
  }
};

}  // namespace roster::fake
