// Durations as the API and the configuration write them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roster {

/// Parses `^([0-9]+(ms|s|m|h))+$`, at most 16 characters ("15s", "1h30m"). Errors: kInvalid, naming
/// the value and what is allowed.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// The form that ParseDuration reads back: "1h30m", "15s", "0s"; with a sign, which it refuses, for
/// what is negative.
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace roster
