// Certificates made while the tests run, so that none lies in the tree and none expires.
#pragma once

#include <string>
#include <vector>

namespace roster::http {

struct Identity {
  std::string certificate;  ///< PEM.
  std::string key;          ///< PEM.
};

struct LeafOptions {
  std::string common_name = "leaf";
  /// "DNS:localhost", "IP:127.0.0.1"; empty: no subjectAltName at all.
  std::vector<std::string> names;
};

/// A certificate authority of its own. Thread-safe after construction.
class Authority {
 public:
  explicit Authority(const std::string& common_name);
  const std::string& certificate() const { return identity_.certificate; }
  Identity Issue(const LeafOptions& options) const;

 private:
  Identity identity_;
};

/// Encrypts a PEM key with a passphrase.
std::string EncryptKey(const std::string& key);

}  // namespace roster::http
