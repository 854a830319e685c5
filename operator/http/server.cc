#include "http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

namespace roster::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr uint32_t kMaxHeader = 16U << 10U;
constexpr size_t kMaxBuffer = size_t{2} * kMaxHeader;
/// After a failed accept (no file descriptor left, say), so that the thread does not spin.
constexpr std::chrono::milliseconds kAcceptPause{100};

struct Address {
  std::string host;  ///< Empty: all interfaces.
  uint16_t port = 0;
};

Result<Address> ParseAddress(const std::string& text) {
  const auto refuse = [&text](std::string_view why) {
    return Error{
        ErrorKind::kInvalid,
        fmt::format("\"{}\" is no address to listen on: {}; expected is HOST:PORT, :PORT or "
                    "[IPV6]:PORT",
                    text, why)};
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return refuse("it has no port");
  Address address;
  address.host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (bad != std::errc() || end != port.data() + port.size()) {
    return refuse("its port is no number between 0 and 65535");
  }
  if (address.host.starts_with("[") && address.host.ends_with("]")) {
    address.host = address.host.substr(1, address.host.size() - 2);
    if (address.host.empty()) return refuse("the brackets hold nothing");
  } else if (address.host.find_first_of(":[]") != std::string::npos) {
    return refuse("an IPv6 address must stand in brackets");
  }
  return address;
}

/// What sessions share. Confined to the server's thread, like all below.
struct Context {
  const ServerOptions options;
  const ServerHandler handler;
  const Logger log;
  size_t connections = 0;
};

/// One connection, from accept to close; lives in the handlers of its own operations.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Context& context) : stream_(std::move(socket)), context_(context) {
    ++context_.connections;
  }
  ~Session() { --context_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Start() { ReadHeader(); }

 private:
  using Parser = beast::http::request_parser<beast::http::empty_body>;
  using Response = beast::http::response<beast::http::string_body>;
  using Serializer = beast::http::response_serializer<beast::http::string_body>;

  /// Waits for the first byte of the next request; what was sent ahead is in the buffer already.
  void AwaitNext() {
    if (buffer_.size() > 0) return ReadHeader();
    stream_.expires_after(context_.options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this()](error_code failed, size_t size) {
                              if (failed) return;  // closed, or idle for too long
                              self->buffer_.commit(size);
                              self->ReadHeader();
                            });
  }

  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(kMaxHeader);
    parser_->body_limit(std::numeric_limits<uint64_t>::max());  // a body is never read
    stream_.expires_after(context_.options.request_timeout);
    beast::http::async_read_header(stream_, buffer_, *parser_,
                                   [self = shared_from_this()](error_code failed, size_t /*size*/) {
                                     self->OnHeader(failed);
                                   });
  }

  void OnHeader(error_code failed) {
    namespace http = beast::http;
    if (failed == http::error::header_limit || failed == http::error::buffer_overflow) {
      return Refuse(http::status::request_header_fields_too_large,
                    fmt::format("the headers are longer than {} bytes\n", kMaxHeader));
    }
    if (failed == http::error::end_of_stream) return Close();
    if (failed.category() == http::make_error_code(http::error::bad_method).category() &&
        failed != http::error::partial_message) {
      return Refuse(http::status::bad_request,
                    fmt::format("no HTTP request: {}\n", failed.message()));
    }
    if (failed) return;  // the connection is gone or too slow
    Answer();
  }

  void Answer() {
    namespace http = beast::http;
    const auto& request = parser_->get();
    const bool has_body = !parser_->is_done();
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      Response response(http::status::method_not_allowed, request.version());
      response.set(http::field::allow, "GET, HEAD");
      response.body() = "only GET and HEAD are served here\n";
      return Write(std::move(response), request.keep_alive() && !has_body);
    }
    ServerRequest asked;
    asked.method = std::string(request.method_string());
    const std::string target(request.target());
    if (!target.starts_with("/")) {
      return Refuse(http::status::bad_request, "the target must be a path\n");
    }
    const size_t mark = std::min(target.find('?'), target.size());
    asked.path = target.substr(0, mark);
    if (mark < target.size()) asked.query = target.substr(mark + 1);

    ServerResponse answer;
    try {
      answer = context_.handler(asked);
    } catch (const std::exception& e) {
      context_.log.Warn("HTTP handler failed", {{"path", asked.path}, {"error", e.what()}});
      answer = {500, "text/plain; charset=utf-8", "internal error\n"};
    }
    Response response(static_cast<http::status>(answer.status), request.version());
    response.set(http::field::content_type, answer.content_type);
    response.body() = std::move(answer.body);
    Write(std::move(response), request.keep_alive() && !has_body);
  }

  /// Answers what could not be read as a request; where the next one begins is not known, so it is
  /// the last.
  void Refuse(beast::http::status status, std::string why) {
    Response response(status, 11);
    response.body() = std::move(why);
    Write(std::move(response), false);
  }

  void Write(Response response, bool keep_alive) {
    namespace http = beast::http;
    response_.emplace(std::move(response));
    if (response_->find(http::field::content_type) == response_->end()) {
      response_->set(http::field::content_type, "text/plain; charset=utf-8");
    }
    response_->set("X-Content-Type-Options", "nosniff");
    response_->keep_alive(keep_alive);
    response_->content_length(response_->body().size());
    serializer_.emplace(*response_);
    // HEAD: the headers that GET would have, and no body.
    serializer_->split(parser_->get().method() == http::verb::head);
    WriteSome();
  }

  /// Piece by piece: a big answer may take as long as it likes, a peer that does not read may not.
  void WriteSome() {
    stream_.expires_after(context_.options.request_timeout);
    beast::http::async_write_some(stream_, *serializer_,
                                  [self = shared_from_this()](error_code failed, size_t /*size*/) {
                                    self->OnWritten(failed);
                                  });
  }

  void OnWritten(error_code failed) {
    if (failed) return;
    const bool only_header = serializer_->split();
    if (only_header ? !serializer_->is_header_done() : !serializer_->is_done()) return WriteSome();
    if (!response_->keep_alive()) return Close();
    AwaitNext();
  }

  /// Says that nothing more comes, then reads what the peer still sends: closing with unread data
  /// would reset the connection, and the peer would lose our answer.
  void Close() {
    error_code ignored;
    ignored = stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(
        std::min(context_.options.request_timeout, std::chrono::milliseconds(1000)));
    Drain();
  }

  void Drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this()](error_code failed, size_t /*size*/) {
                              if (!failed) self->Drain();
                            });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kMaxBuffer};
  std::optional<Parser> parser_;
  std::optional<Response> response_;
  std::optional<Serializer> serializer_;
  Context& context_;
};

class BeastServer final : public Server {
 public:
  BeastServer(ServerOptions options, ServerHandler handler, Logger log)
      : context_{std::move(options), std::move(handler), std::move(log)} {}

  ~BeastServer() override {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Status Listen() {
    const auto address = ParseAddress(context_.options.address);
    if (!address) return address.error();
    const auto unavailable = [this](const error_code& failed) {
      return Error{
          ErrorKind::kUnavailable,
          fmt::format("cannot listen on \"{}\": {}", context_.options.address, failed.message())};
    };
    error_code failed;
    if (address->host.empty()) {
      // IPv6 with IPv4 mapped into it, or plain IPv4 where the kernel has no IPv6.
      Open(tcp::endpoint(tcp::v6(), address->port), failed);
      if (failed && failed != asio::error::address_in_use) {
        Open(tcp::endpoint(tcp::v4(), address->port), failed);
      }
    } else {
      tcp::resolver resolver(io_);
      const auto found = resolver.resolve(address->host, std::to_string(address->port),
                                          tcp::resolver::passive, failed);
      if (failed) return unavailable(failed);
      Open(found.begin()->endpoint(), failed);
    }
    if (failed) return unavailable(failed);
    port_ = acceptor_.local_endpoint().port();
    Accept();
    thread_ = std::jthread([this] { io_.run(); });
    return Ok();
  }

  int port() const override { return port_; }

 private:
  void Open(const tcp::endpoint& endpoint, error_code& failed) {
    error_code ignored;
    ignored = acceptor_.close(ignored);
    failed = acceptor_.open(endpoint.protocol(), failed);
    if (failed) return;
    ignored = acceptor_.set_option(asio::socket_base::reuse_address(true), ignored);
    if (endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
      ignored = acceptor_.set_option(asio::ip::v6_only(false), ignored);
    }
    failed = acceptor_.bind(endpoint, failed);
    if (!failed) failed = acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  }

  void Accept() {
    acceptor_.async_accept([this](error_code failed, tcp::socket socket) {
      if (failed) {
        context_.log.Warn("Cannot accept a connection",
                          {{"address", context_.options.address}, {"error", failed.message()}});
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](error_code) { Accept(); });
        return;
      }
      if (context_.connections < context_.options.max_connections) {
        std::make_shared<Session>(std::move(socket), context_)->Start();
      }
      Accept();
    });
  }

  // Sessions end with io_, so what they use stands before it.
  Context context_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, ServerHandler handler,
                                              Logger log) {
  auto server =
      std::make_unique<BeastServer>(std::move(options), std::move(handler), std::move(log));
  if (auto listening = server->Listen(); !listening) return listening.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace roster::http
