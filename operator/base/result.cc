#include "base/result.h"

namespace roster {

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "Invalid";
    case ErrorKind::kNotFound:
      return "NotFound";
    case ErrorKind::kAlreadyExists:
      return "AlreadyExists";
    case ErrorKind::kConflict:
      return "Conflict";
    case ErrorKind::kUnauthorized:
      return "Unauthorized";
    case ErrorKind::kForbidden:
      return "Forbidden";
    case ErrorKind::kExpired:
      return "Expired";
    case ErrorKind::kFutureVersion:
      return "FutureVersion";
    case ErrorKind::kThrottled:
      return "Throttled";
    case ErrorKind::kTimeout:
      return "Timeout";
    case ErrorKind::kUnavailable:
      return "Unavailable";
    case ErrorKind::kCancelled:
      return "Cancelled";
    case ErrorKind::kMalformed:
      return "Malformed";
  }
  return "Malformed";
}

}  // namespace roster
