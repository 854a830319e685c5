// metav1.Status, as answers and as ERROR events of a watch, turned into Errors.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "kube/transport.h"

namespace roster::kube {

/// Of an answer with a status ≥400. A body that is no Status (a proxy's HTML, say) is quoted, cut
/// to 200 characters.
Error ErrorOf(const Response& response);

/// Of the Status object that an ERROR event carries.
Error ErrorOfStatus(const nlohmann::json& status);

}  // namespace roster::kube
