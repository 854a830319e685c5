// Who we are to the API server, and how we know that it is the right one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"

namespace roster::kube {

/// A secret text (PEM or a token) that may stand in a file which others rotate. Thread-safe; copies
/// share their state.
class Secret {
 public:
  /// A fixed text.
  static Secret Inline(std::string text);
  /// The file's content without white space at its end, read again when older than `max_age`; the
  /// old text stays if reading fails or the file is empty (it may be just being written).
  static Secret File(std::string path, std::chrono::seconds max_age);
  Secret() = default;

  bool empty() const { return !state_; }
  /// True if the text may change from one Read to the next.
  bool rotates() const;
  /// Errors: kInvalid, naming the file, if it never could be read.
  Result<std::string> Read(const Clock& clock) const;
  /// Makes the next Read look at the file again (after a 401).
  void Expire() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

struct Credentials {
  std::string server;            ///< "https://host:port[/path]", without a slash at the end.
  Secret certificate_authority;  ///< Empty: the system's.
  Secret client_certificate;     ///< With client_key, or both empty.
  Secret client_key;
  Secret token;  ///< Bearer token; empty: none.
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string default_namespace = "default";
  std::string
      source;  ///< Where it came from, for the log: "in-cluster", "kubeconfig FILE, context NAME".
};

}  // namespace roster::kube
