// Base 64 (RFC 4648 section 4), as kubeconfig files have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roster::kube {

/// Takes white space between characters; nullopt for anything else that is not Base 64 with its
/// padding.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace roster::kube
