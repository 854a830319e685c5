// HTTP on top of the backend: one request in, one answer out.
#pragma once

#include "fakes/api_backend.h"
#include "fakes/api_request.h"
#include "kube/transport.h"

namespace roster::fake {

/// Everything but watches. `request` is not one; `parsed` is nullopt if the path names nothing.
kube::Response HandleRequest(const kube::Request& request, const std::optional<ApiRequest>& parsed,
                             ApiBackend& backend);

/// True for the verbs that can change something.
bool IsMutating(std::string_view verb);

/// The name that a POST's body gives, for the log of requests.
std::string NameInBody(const kube::Request& request);

}  // namespace roster::fake
