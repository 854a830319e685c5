#include "kube/status_error.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"

namespace roster::kube {
namespace {

using api::FindMember;
using nlohmann::json;

// A Status comes from outside and may be anything, so these readers never throw.
std::string Text(const json& object, std::string_view key) {
  const json* member = FindMember(object, key);
  return member && member->is_string() ? member->get<std::string>() : std::string();
}

int Number(const json& object, std::string_view key) {
  const json* member = FindMember(object, key);
  if (!member || !member->is_number_integer()) return 0;
  const auto value = member->get<int64_t>();
  return static_cast<int>(std::clamp<int64_t>(value, 0, 1'000'000));
}

/// True if status.details.causes has an entry with `key` equal to `value`.
bool HasCause(const json& status, std::string_view key, std::string_view value) {
  const json* details = FindMember(status, "details");
  const json* causes = details ? FindMember(*details, "causes") : nullptr;
  if (!causes || !causes->is_array()) return false;
  return std::any_of(causes->begin(), causes->end(),
                     [&](const json& cause) { return Text(cause, key) == value; });
}

ErrorKind KindOf(int code, std::string_view reason, const json& status) {
  if (HasCause(status, "reason", "ResourceVersionTooLarge")) return ErrorKind::kFutureVersion;
  if (reason == "AlreadyExists") return ErrorKind::kAlreadyExists;
  if (reason == "Expired" || reason == "Gone") return ErrorKind::kExpired;
  switch (code) {
    case 401:
      return ErrorKind::kUnauthorized;
    case 403:
      return ErrorKind::kForbidden;
    case 404:
      return ErrorKind::kNotFound;
    case 408:
      return ErrorKind::kTimeout;
    case 409:
      return ErrorKind::kConflict;
    case 410:
      return ErrorKind::kExpired;
    case 422:
      // An apply that carries the uid of an object that has been deleted or replaced since.
      return HasCause(status, "field", "metadata.uid") ? ErrorKind::kConflict : ErrorKind::kInvalid;
    case 429:
      return ErrorKind::kThrottled;
    case 504:
      return reason == "Timeout" ? ErrorKind::kTimeout : ErrorKind::kUnavailable;
    default:
      break;
  }
  if (code >= 500) return ErrorKind::kUnavailable;
  if (code >= 400) return ErrorKind::kInvalid;
  return ErrorKind::kMalformed;
}

/// A server-side apply of an object with an unknown field, or a value of the wrong type, is
/// answered with a bare 500 (seen with 1.35), although nothing but another object will help.
bool IsTypeErrorOfApply(int code, std::string_view message) {
  return code == 500 && message.starts_with("failed to create typed patch object");
}

Error FromStatus(const json& status, int code) {
  const std::string reason = Text(status, "reason");
  Error error{KindOf(code, reason, status), Text(status, "message")};
  if (IsTypeErrorOfApply(code, error.message)) error.kind = ErrorKind::kInvalid;
  if (error.message.empty()) {
    error.message =
        fmt::format("the server answered {}{}{}", code, reason.empty() ? "" : " ", reason);
  }
  if (const json* details = FindMember(status, "details")) {
    if (const int seconds = Number(*details, "retryAfterSeconds"); seconds > 0) {
      error.retry_after = std::chrono::seconds(seconds);
    }
  }
  return error;
}

/// The start of a text that is no Status, fit for one line of a log.
std::string Quote(std::string_view body) {
  static constexpr size_t kMost = 200;
  std::string quoted;
  for (const char c : body.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  // A character cut in two would be no UTF-8.
  while (body.size() > kMost && !quoted.empty() &&
         (static_cast<unsigned char>(quoted.back()) & 0x80U)) {
    quoted.pop_back();
  }
  if (body.size() > kMost) quoted += "…";
  return quoted;
}

}  // namespace

Error ErrorOfStatus(const json& status) {
  return FromStatus(status, Number(status, "code"));
}

Error ErrorOf(const Response& response) {
  Error error;
  const auto body = api::ParseJson(response.body);
  if (body && body->is_object() && Text(*body, "kind") == "Status") {
    error = FromStatus(*body, response.status);
  } else {
    error.kind = KindOf(response.status, "", json::object());
    error.message = response.body.empty() ? fmt::format("the server answered {}", response.status)
                                          : fmt::format("the server answered {}: {}",
                                                        response.status, Quote(response.body));
  }
  if (response.retry_after) error.retry_after = response.retry_after;
  return error;
}

}  // namespace roster::kube
