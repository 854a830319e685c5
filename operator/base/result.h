// Expected failures are values. A function that can fail for a reason outside this process returns
// Result<T> (or Status, where there is nothing to return); exceptions stop at the seam of the
// library that throws them.
#pragma once

#include <cassert>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace roster {

enum class ErrorKind {
  kInvalid,        ///< The input is wrong; the same call will fail again (HTTP 400, 422).
  kNotFound,       ///< HTTP 404.
  kAlreadyExists,  ///< HTTP 409, reason AlreadyExists.
  kConflict,       ///< Somebody else wrote first (HTTP 409; 422 on metadata.uid): read again, then
                   ///< decide again.
  kUnauthorized,   ///< HTTP 401: who we are is not known.
  kForbidden,  ///< HTTP 403: RBAC, quota or an admission policy says no. May be lifted at any time.
  kExpired,    ///< HTTP 410: the resource version or continue token is too old.
  kFutureVersion,  ///< "Too large resource version": the server has not seen, or has lost, that
                   ///< version.
  kThrottled,      ///< HTTP 429.
  kTimeout,        ///< No answer in time, or a stream silent for too long.
  kUnavailable,    ///< No connection, a broken one, or HTTP 5xx.
  kCancelled,      ///< The caller's stop token was triggered.
  kMalformed,      ///< An answer that cannot be understood (not JSON, not the object asked for).
};

/// "kNotFound" reads "NotFound": a stable word for logs and metrics.
std::string_view ToString(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kMalformed;
  /// For people; names the field, the value and the limit, or the server's own message verbatim. No
  /// secrets.
  std::string message;
  /// What the server asked for by Retry-After.
  std::optional<std::chrono::seconds> retry_after = std::nullopt;

  /// True if the same call may succeed later without anybody changing it.
  bool retryable() const {
    return kind == ErrorKind::kThrottled || kind == ErrorKind::kTimeout ||
           kind == ErrorKind::kUnavailable;
  }
};

/// A value or an Error. Reading the side that is not there is a programming error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return Get(*this); }
  const T& value() const& { return Get(*this); }
  T&& value() && { return std::move(Get(*this)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  template <class Self>
  static auto& Get(Self& self) {
    assert(self.ok());
    return *std::get_if<0>(&self.state_);
  }
  std::variant<T, Error> state_;
};

struct Unit {};
/// Success without a value.
using Status = Result<Unit>;
inline Status Ok() {
  return Unit{};
}

}  // namespace roster
