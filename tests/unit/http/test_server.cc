#include "unit/http/test_server.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <list>

namespace roster::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

/// A connection over a TLS stream or a plain socket.
template <class Stream>
class PeerOver final : public Peer {
 public:
  PeerOver(Stream& stream, tcp::socket& socket,
           const std::function<bool(std::chrono::milliseconds)>& pause)
      : stream_(stream), socket_(socket), pause_(pause) {}

  bool Write(std::string_view bytes) override {
    error_code failed;
    asio::write(stream_, asio::buffer(bytes), failed);
    return !failed;
  }
  void Reset() override {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }
  void AwaitHangUp() override {
    char byte = 0;
    while (recv(socket_.native_handle(), &byte, 1, 0) > 0) {
    }
  }
  bool Pause(std::chrono::milliseconds time) override { return pause_(time); }

 private:
  Stream& stream_;
  tcp::socket& socket_;
  const std::function<bool(std::chrono::milliseconds)>& pause_;
};

std::string CommonName(X509* certificate) {
  if (certificate == nullptr) return "";
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  X509_free(certificate);
  return name;
}

}  // namespace

bool Peer::WriteChunk(std::string_view bytes) {
  return Write(fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes));
}

bool Peer::Answer(int status, std::string_view body, std::string_view headers) {
  return Write(fmt::format("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n{}\r\n{}", status,
                           body.size(), headers, body));
}

struct TestServer::Impl {
  Impl(Options o, Handler h) : options(std::move(o)), handler(std::move(h)) {}

  Options options;
  Handler handler;
  asio::io_context io;
  tcp::acceptor acceptor{io};
  std::jthread accepting;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  std::vector<SeenRequest> requests;
  std::list<int> sockets;
  std::vector<std::jthread> threads;

  bool Pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex);
    return !changed.wait_for(lock, time, [this] { return stopping; });
  }

  template <class Stream>
  void ServeRequests(Stream& stream, tcp::socket& socket, SeenRequest seen) {
    const std::function<bool(std::chrono::milliseconds)> pause = [this](auto time) {
      return Pause(time);
    };
    PeerOver<Stream> peer(stream, socket, pause);
    beast::flat_buffer buffer;
    while (true) {
      beast::http::request_parser<beast::http::string_body> parser;
      parser.body_limit(256U << 20U);
      error_code failed;
      beast::http::read(stream, buffer, parser, failed);
      if (failed) return;
      const auto& request = parser.get();
      seen.method = std::string(request.method_string());
      seen.target = std::string(request.target());
      seen.headers.clear();
      for (const auto& field : request) {
        std::string name(field.name_string());
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        seen.headers[name] = std::string(field.value());
      }
      seen.body = request.body();
      {
        const std::lock_guard lock(mutex);
        requests.push_back(seen);
      }
      if (!handler(peer, seen)) return;
    }
  }

  void Serve(tcp::socket socket, int number) {
    SeenRequest seen;
    seen.connection = number;
    if (!options.tls) return ServeRequests(socket, socket, seen);
    Identity identity;
    {
      const std::lock_guard lock(mutex);
      identity = options.identity;
    }
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.use_certificate_chain(asio::buffer(identity.certificate));
    context.use_private_key(asio::buffer(identity.key), asio::ssl::context::pem);
    if (!options.client_authority.empty()) {
      context.add_certificate_authority(asio::buffer(options.client_authority));
      context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
    asio::ssl::stream<tcp::socket&> stream(socket, context);
    error_code failed;
    stream.handshake(asio::ssl::stream_base::server, failed);
    if (failed) return;
    const char* sni = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    seen.sni = sni != nullptr ? sni : "";
    seen.client_name = CommonName(SSL_get1_peer_certificate(stream.native_handle()));
    ServeRequests(stream, socket, seen);
  }
};

TestServer::TestServer(Options options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {
  const tcp::endpoint endpoint(asio::ip::make_address(impl_->options.address), 0);
  impl_->acceptor.open(endpoint.protocol());
  impl_->acceptor.bind(endpoint);
  impl_->acceptor.listen();
  port_ = impl_->acceptor.local_endpoint().port();
  impl_->accepting = std::jthread([this] {
    while (true) {
      error_code failed;
      tcp::socket socket = impl_->acceptor.accept(failed);
      const std::lock_guard lock(impl_->mutex);
      if (failed || impl_->stopping) return;
      const int number = ++connections_;
      // A duplicate, whose number stays ours until it is off the list.
      const auto place = impl_->sockets.insert(impl_->sockets.end(), dup(socket.native_handle()));
      impl_->threads.emplace_back([this, number, place, s = std::move(socket)]() mutable {
        impl_->Serve(std::move(s), number);
        const std::lock_guard gone(impl_->mutex);
        close(*place);
        impl_->sockets.erase(place);
      });
    }
  });
}

TestServer::~TestServer() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    for (const int fd : impl_->sockets) shutdown(fd, SHUT_RDWR);
  }
  impl_->changed.notify_all();
  shutdown(impl_->acceptor.native_handle(), SHUT_RDWR);
  impl_->accepting.join();
  impl_->threads.clear();
}

std::string TestServer::url(std::string_view host) const {
  return fmt::format("{}://{}:{}", impl_->options.tls ? "https" : "http", host, port_);
}

std::vector<SeenRequest> TestServer::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests;
}

void TestServer::SetIdentity(Identity identity) {
  const std::lock_guard lock(impl_->mutex);
  impl_->options.identity = std::move(identity);
}

}  // namespace roster::http
