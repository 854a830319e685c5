// Undoes Content-Encoding: gzip. cpprestsdk could too, but loses its way when an answer comes in
// small pieces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roster::http {

/// `compressed` is one whole gzip member (RFC 1952). Errors: kMalformed, also for what would be
/// longer than `max_size`.
Result<std::string> Gunzip(std::string_view compressed, size_t max_size = size_t{1} << 30U);

}  // namespace roster::http
