// Client-side TLS: whom we trust, who we are, and which name the server must prove.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "kube/credentials.h"

namespace roster::http {

/// Holds certificates and key ready-made, so that setting up a connection reads no file, parses
/// nothing and cannot fail. Thread-safe.
class TlsContext {
 public:
  /// `host` is the server's name or IP address (no brackets); credentials.tls_server_name takes its
  /// place if it is set. Errors: kInvalid, naming the certificate or key and what is wrong with it.
  static Result<std::shared_ptr<TlsContext>> Make(const kube::Credentials& credentials,
                                                  const std::string& host, const Clock& clock);

  /// Takes over certificates and key that were rotated; what cannot be used is left aside and the
  /// old ones stay. Returns true if it changed anything.
  bool Refresh(const Clock& clock);

  /// Counts the changes: connections begun at different generations may show and trust different
  /// certificates.
  uint64_t generation() const;

  /// Makes the next Refresh look at the files again (after a 401).
  void Expire() const;

  /// Sets up the context of one new connection: our CA alone is trusted, the host is verified by
  /// OpenSSL, our certificate is shown, SNI is sent for names and never for addresses (RFC 6066).
  /// Whether the peer is verified at all stays with SSL_set_verify. `context` may outlive this
  /// object.
  void Apply(SSL_CTX* context) const;

  /// Why the last server that was refused was refused, in words; empty if none was.
  std::string LastRefusal() const;

 private:
  struct Material;   ///< Parsed certificates and key.
  struct Shared;     ///< What callbacks of OpenSSL need; kept alive by each context.
  struct Callbacks;  ///< Of OpenSSL.

  TlsContext(kube::Credentials credentials, std::shared_ptr<Shared> shared)
      : credentials_(std::move(credentials)), shared_(std::move(shared)) {}

  static Result<std::shared_ptr<const Material>> Load(const kube::Credentials& credentials,
                                                      const Clock& clock);

  const kube::Credentials credentials_;
  const std::shared_ptr<Shared> shared_;
  struct Current {
    std::shared_ptr<const Material> material;
    uint64_t generation = 0;
  };
  mutable Guarded<Current> current_;
};

}  // namespace roster::http
