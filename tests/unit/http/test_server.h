// A TLS server on loopback that does exactly what a test says: well, slowly, or wrong.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "unit/http/pki.h"

namespace roster::http {

struct SeenRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
  std::string client_name;  ///< Common name of the client's certificate.
  std::string sni;
  int connection = 0;  ///< Which connection it came on, from 1.

  std::string Header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

/// What a handler can do to the connection of the request it handles.
class Peer {
 public:
  virtual ~Peer() = default;
  /// False once the client is gone.
  virtual bool Write(std::string_view bytes) = 0;
  /// Ends the connection with a TCP reset.
  virtual void Reset() = 0;
  /// Waits until the client hangs up, or the server is stopped.
  virtual void AwaitHangUp() = 0;
  /// Waits; false if the server is stopped meanwhile.
  virtual bool Pause(std::chrono::milliseconds time) = 0;

  bool WriteChunk(std::string_view bytes);
  bool Answer(int status, std::string_view body, std::string_view headers = {});
};

class TestServer {
 public:
  struct Options {
    bool tls = true;
    Identity identity;
    std::string client_authority;  ///< PEM; if set, a client must show a certificate of its.
    std::string address = "127.0.0.1";
  };
  /// Returns false to close the connection afterwards. Called on a thread of the connection's own.
  using Handler = std::function<bool(Peer&, const SeenRequest&)>;

  TestServer(Options options, Handler handler);
  ~TestServer();

  int port() const { return port_; }
  /// "https://127.0.0.1:PORT".
  std::string url(std::string_view host = "127.0.0.1") const;
  int connections() const { return connections_; }
  std::vector<SeenRequest> requests() const;
  /// Certificate and key of connections from now on.
  void SetIdentity(Identity identity);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  int port_ = 0;
  std::atomic<int> connections_{0};
};

}  // namespace roster::http
