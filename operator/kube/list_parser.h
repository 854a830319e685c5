// Reads a LIST answer item by item, so that memory holds one item as a DOM and never the page.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"

namespace roster::kube {

/// Calls `sink` for every element of `items`, in order, and returns what stands beside them (kind,
/// apiVersion, metadata). Errors: kMalformed for a text that is no JSON object, an item that is no
/// object, or nesting deeper than api::kMaxJsonDepth; items before that place have been handed over
/// by then.
Result<nlohmann::json> ParseList(std::string_view text,
                                 const std::function<void(nlohmann::json&& item)>& sink);

}  // namespace roster::kube
