// The answers of an API server that are no objects: metav1.Status, worded as kube-apiserver 1.35
// words them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fakes/resource_type.h"
#include "kube/transport.h"

namespace roster::fake {

using nlohmann::json;

/// A metav1.Status of a failure, to be an answer's body or an ERROR event's object.
struct Failure {
  int code = 500;
  json status;

  kube::Response ToResponse() const;
};

/// One reason why an object is refused.
struct Cause {
  std::string reason;  ///< "FieldValueInvalid", "FieldValueRequired", …
  std::string message;
  std::string field;
};

Failure NotFound(const ResourceType& type, std::string_view name);
Failure AlreadyExists(const ResourceType& type, std::string_view name);
/// `why` as in "the object has been modified; please apply your changes to the latest version and
/// try again".
Failure Conflict(const ResourceType& type, std::string_view name, std::string_view why);
Failure StaleVersion(const ResourceType& type, std::string_view name);
/// A precondition of a DELETE that does not hold. These name the kind where the others name the
/// resource.
Failure PreconditionFailed(const ResourceType& type, std::string_view name, std::string_view what,
                           std::string_view given, std::string_view actual);
/// A server-side apply without force that would take fields from others. `fields` are pairs of
/// manager and path.
Failure ApplyConflict(const std::vector<std::pair<std::string, std::string>>& fields);
Failure Invalid(std::string_view group, std::string_view kind, std::string_view name,
                const std::vector<Cause>& causes);
Failure Invalid(const ResourceType& type, std::string_view name, const std::vector<Cause>& causes);
/// A JSON patch whose test fails or whose path is not there. The server does not say which.
Failure UnappliablePatch();
Failure BadRequest(std::string_view message);
Failure UnsupportedMediaType();
Failure EntityTooLarge(size_t limit);
/// etcd's own limit on an object's size.
Failure StorageRequestTooLarge();
Failure Expired(std::string_view message);
Failure TooLargeVersion(uint64_t asked, uint64_t current);
/// Any other, for faults: 403 with reason Forbidden, 429, 500, 503, …
Failure AnyFailure(int code, std::string_view reason, std::string_view message);

/// Either what was asked for, or why not.
template <class T>
using Outcome = std::variant<T, Failure>;

}  // namespace roster::fake
