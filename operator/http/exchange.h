// One HTTP exchange between a thread of ours, which waits, and cpprestsdk's pool, which must never
// wait. Private to this room.
#pragma once

// cpprestsdk's macro U would break what is included after it.
#ifndef _TURN_OFF_PLATFORM_STRING
#define _TURN_OFF_PLATFORM_STRING  // NOLINT(bugprone-reserved-identifier): cpprestsdk's own name
#endif
#include <cpprest/http_client.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "kube/transport.h"

namespace roster::http {

/// Thread-safe. Owned by both sides, because cpprestsdk may let go of a cancelled request much
/// later (after a name was resolved, say), and our side does not wait for that.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  /// kCollect: the body is gathered whole. kHandOver: each piece waits until our thread has taken
  /// it, so that a slow reader slows the server down instead of filling the memory.
  enum class Mode { kCollect, kHandOver };

  explicit Exchange(Mode mode) : mode_(mode) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Sends `request`; called once, by our thread, which lets go of the request before it waits (its
  /// copies share one state, and the exchange is finished only when cpprestsdk, as the last, lets
  /// go of that).
  void Start(web::http::client::http_client& client, web::http::http_request request);

  // How an exchange ended, or what is to be done next. It is finished only when its connection is
  // back in the pool, so that the next request finds it there.
  enum class Event { kFinished, kPiece, kDeadline, kStopped };
  /// Our thread: until the exchange is finished (kCollect), or there is a piece or the end
  /// (kHandOver).
  Event Wait(const Clock& clock, MonoTime deadline, const std::stop_token& stop);

  /// After kPiece: the piece, until Taken().
  std::string_view piece();
  /// Lets the next piece come.
  void Taken();

  /// Breaks the exchange off; nothing comes after that. Holds no lock while cpprestsdk is called.
  void Abandon();

  /// 0 until the headers are there.
  int status();
  /// After kFinished: what went wrong, if something did.
  std::optional<std::string> problem();
  /// After the headers: the body is compressed by gzip.
  bool gzip();
  /// After the headers; the body as it came, as far as it was collected. Called once.
  kube::Response TakeResponse();

 private:
  class BodyBuffer;
  class ReleaseSignal;

  // Called on cpprestsdk's pool.
  pplx::task<size_t> Put(const uint8_t* data, size_t size);
  void OnHeaders(const web::http::http_response& response);
  void OnEnd(std::optional<std::string> problem);
  void OnReleased();

  struct State {
    int status = 0;
    std::optional<std::chrono::seconds> retry_after;
    bool gzip = false;
    std::string body;  ///< kCollect.
    /// kHandOver: cpprestsdk's own memory, valid until `taken` is set.
    std::string_view piece;
    std::optional<pplx::task_completion_event<size_t>> taken;
    bool abandoned = false;
    bool ended = false;
    bool released = false;  ///< cpprestsdk has let go of the request and of its connection.
    std::optional<std::string> problem;
  };

  const Mode mode_;
  pplx::cancellation_token_source cancel_;
  Guarded<State> state_;
};

}  // namespace roster::http
