// What the API server does to an object of a given type on its way into storage: defaults, pruning,
// validation.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "fakes/crd_schema.h"
#include "fakes/resource_type.h"
#include "fakes/status_answer.h"

namespace roster::fake {

/// Of the built-in types only what Roster sets is known: a manifest may pass here and be refused by
/// a real server, never the other way round. Not thread-safe.
class ObjectRules {
 public:
  ObjectRules();

  /// Drops what the type does not know and fills in its defaults.
  void Normalize(const ResourceType& type, json& object) const;

  /// `old` is the stored object, nullptr when there is none.
  std::vector<Cause> Validate(const ResourceType& type, const json& object, const json* old) const;

 private:
  CrdSchema agents_;
};

}  // namespace roster::fake
