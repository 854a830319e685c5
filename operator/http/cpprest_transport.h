// Transport over cpprestsdk. No type of cpprestsdk leaves this room.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/credentials.h"
#include "kube/transport.h"

namespace roster::http {

struct TransportOptions {
  std::string user_agent;  ///< "roster/VERSION (linux/amd64)".
  int threads = 2;         ///< Of cpprestsdk's pool; only the first transport of a process decides.
  int connections =
      16;  ///< At most so many unary requests under way at once; the next one waits its turn.
};

/// Thread-safe. Errors of construction: kInvalid (an unusable URL, certificate, key or token),
/// naming what. `clock` outlives the transport.
///
/// A request whose connection the server had closed while it lay idle is sent again, once, on a new
/// one; after a 401 all credentials that stand in files are read again, and the request is sent
/// again if any of them changed.
Result<std::unique_ptr<kube::Transport>> MakeCppRestTransport(kube::Credentials credentials,
                                                              TransportOptions options,
                                                              const Clock& clock);

}  // namespace roster::http
