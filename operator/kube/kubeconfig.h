// Where credentials come from: --kubeconfig, $KUBECONFIG, in-cluster, ~/.kube/config, in that
// order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kube/credentials.h"

namespace roster::kube {

/// The outside world that FindCredentials looks at, so that a test can be it.
struct Surroundings {
  std::function<std::optional<std::string>(std::string_view name)> getenv;
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};
Surroundings ProcessSurroundings();

/// `kubeconfig` and `context` are the settings of these names; empty if not given. Errors:
/// kInvalid, naming file, key and the mend; a key that is not supported (exec, auth-provider,
/// proxy-url, a list of files) is named.
Result<Credentials> FindCredentials(std::string_view kubeconfig, std::string_view context,
                                    const Surroundings& surroundings);

/// One kubeconfig's text; relative file names are relative to `directory`. At most 1 MiB, 32 levels
/// deep.
Result<Credentials> ParseKubeconfig(std::string_view text, std::string_view directory,
                                    std::string_view context);

}  // namespace roster::kube
