// Whether the cluster's Agent CRD is there and knows every field that this operator reads and
// writes. Fields that a CRD lacks are dropped by the API server without a word, so an old CRD would
// lose status.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/client.h"

namespace roster::app {

inline constexpr std::string_view kCrdName = "agents.agentroster.dev";
inline constexpr std::string_view kCrdMend = "kubectl apply --server-side -f crds/";

/// Fields that this operator needs, as paths from the object's root: "status.workload.hash".
std::vector<std::string> NeededFields();

/// Errors: kInvalid (too old), naming what is missing; kUnavailable if the API server does not
/// serve it yet.
Status CheckCrdObject(const nlohmann::json& crd);

/// What is known of the CRD in the cluster.
enum class CrdCheck {
  kGood,
  kPresent,  ///< It is there, but Roster may not read it and so cannot tell whether it is new
             ///< enough.
};

/// Reads the CRD; if that is forbidden, as it is with rights in single namespaces only, lists one
/// Agent of the first of `namespaces` (all if empty). Errors: kNotFound (missing), kInvalid (too
/// old), and those of Client.
Result<CrdCheck> CheckCrd(kube::Client& client, const std::vector<std::string>& namespaces,
                          std::stop_token stop);

}  // namespace roster::app
