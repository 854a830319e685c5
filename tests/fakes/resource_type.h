// What the fake API server knows of a kind of resource.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "kube/resource.h"

namespace roster::fake {

struct ResourceType {
  std::string group;
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = true;
  /// Writes to the resource ignore status, writes to /status ignore the rest.
  bool has_status = false;
  /// metadata.generation counts changes of the spec. Services, Events and Leases have none.
  bool has_generation = false;
  /// A custom resource: its objects keep apiVersion and kind inside lists, and it knows no
  /// unconditional PUT.
  bool custom = false;

  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  bool Is(const kube::Resource& resource) const {
    return group == resource.group && plural == resource.plural;
  }
};

/// The resources that Roster meets, and those it takes to play a cluster around it.
std::vector<ResourceType> StandardResourceTypes();

}  // namespace roster::fake
