// The seam to HTTP clients: blocking, cancelled by a stop token, no type of any HTTP library in
// sight. Implemented in http/ over real sockets and in tests/fakes in memory; one conformance suite
// holds them together.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace roster::kube {

struct Request {
  std::string method;  ///< "GET", "POST", "PUT", "PATCH", "DELETE".
  /// Absolute path with its query, already percent-encoded: "/api/v1/pods?limit=500".
  std::string target;
  std::string content_type;  ///< Of the body; empty if there is none.
  std::string body;
  /// Send: from start to the whole body. Stream: the longest silence, headers included.
  std::chrono::milliseconds timeout{10'000};
  /// Requests of one lane share connections; a lane never waits for another ("lease" must not queue
  /// behind the rest).
  enum class Lane { kDefault, kLease } lane = Lane::kDefault;
};

struct Response {
  int status = 0;
  std::string body;                                 ///< Decoded (gzip undone).
  std::optional<std::chrono::seconds> retry_after;  ///< Header Retry-After, when in seconds.
};

/// How a stream ended that the server answered with 200: false if the sink asked for the end.
struct StreamEnd {
  bool by_server = true;
};

/// Receives the body as it comes, in pieces of any size. Returns false to end the stream.
using StreamSink = std::function<bool(std::string_view piece)>;

/// Thread-safe: any number of calls at once.
class Transport {
 public:
  virtual ~Transport() = default;

  /// One request and its whole answer, whatever its HTTP status. Errors: kTimeout, kUnavailable (no
  /// connection, a broken one, TLS refused), kCancelled; nothing else. After kTimeout and
  /// kUnavailable the server may have acted.
  virtual Result<Response> Send(const Request& request, std::stop_token stop) = 0;

  struct StreamResult {
    std::optional<Response> refusal;  ///< Set if the status was not 200; the sink was not called.
    StreamEnd end;
  };
  /// One request whose answer comes piece by piece and may never end. Errors as Send; kTimeout
  /// after `request.timeout` of silence.
  virtual Result<StreamResult> Stream(const Request& request, const StreamSink& sink,
                                      std::stop_token stop) = 0;
};

}  // namespace roster::kube
