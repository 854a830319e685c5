// A small HTTP/1.1 server over Boost.Beast for probes and metrics: a port and a thread of its own,
// so that nothing the operator does slows it. Answers GET and HEAD; limits on headers (16 KiB),
// connections, and time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"

namespace roster::http {

struct ServerRequest {
  std::string method;
  std::string path;   ///< Without the query, still encoded.
  std::string query;  ///< Without '?'.
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Called on the server's thread.
using ServerHandler = std::function<ServerResponse(const ServerRequest&)>;

struct ServerOptions {
  std::string address =
      ":8081";  ///< "host:port", ":port" for all interfaces, "[::1]:port"; port 0 picks a free one.
  std::chrono::milliseconds idle_timeout{30'000};  ///< Between requests of a connection.
  std::chrono::milliseconds request_timeout{
      10'000};                   ///< For a request's headers, and for a peer that does not read.
  size_t max_connections = 256;  ///< Further ones are closed at once.
};

/// Serves from construction to destruction.
class Server {
 public:
  /// Errors: kInvalid (the address makes no sense), kUnavailable (it cannot be bound), naming the
  /// address.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, ServerHandler handler,
                                               Logger log);
  virtual ~Server() = default;
  virtual int port() const = 0;
};

}  // namespace roster::http
