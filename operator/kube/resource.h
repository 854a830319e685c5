// Which resource of the API a request is about.
#pragma once

#include <string>
#include <string_view>

namespace roster::kube {

/// One resource of the API. Immutable; the constants below are all that Roster uses.
struct Resource {
  std::string_view group;  ///< Empty for the core group.
  std::string_view version;
  std::string_view plural;
  std::string_view kind;

  /// "agentroster.dev/v1alpha1", or "v1" for the core group.
  std::string ApiVersion() const;
  /// "/apis/GROUP/VERSION/namespaces/NS/PLURAL[/NAME][/SUBRESOURCE]", each part percent-encoded. An
  /// empty `ns` means all namespaces (or a cluster-scoped resource).
  std::string Path(std::string_view ns, std::string_view name = {},
                   std::string_view subresource = {}) const;
};

inline constexpr Resource kAgents{"agentroster.dev", "v1alpha1", "agents", "Agent"};
inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr Resource kServices{"", "v1", "services", "Service"};
inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kCustomResourceDefinitions{
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"};

/// Percent-encodes all but unreserved characters (RFC 3986).
std::string PercentEncode(std::string_view text);

}  // namespace roster::kube
