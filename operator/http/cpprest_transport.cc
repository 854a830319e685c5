#include "http/cpprest_transport.h"

#include <arpa/inet.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <charconv>
#include <mutex>

#include "base/guarded.h"
#include "http/exchange.h"
#include "http/gunzip.h"
#include "http/tls_context.h"

// After exchange.h, which keeps cpprestsdk's macros away.
#include <pplx/threadpool.h>

namespace roster::http {
namespace {

using boost::asio::ip::tcp;
using web::http::http_request;
using web::http::client::http_client;
using web::http::client::http_client_config;

/// Time is kept by our own threads, whole requests and all; cpprestsdk's timer starts again with
/// each chunk.
constexpr std::chrono::hours kNever{24 * 365};
/// Of a refusal's body; a Status is far shorter.
constexpr size_t kMaxRefusal = 1U << 20U;

struct Endpoint {
  bool tls = true;
  std::string host;                                    ///< Name or address, without brackets.
  std::string authority;                               ///< For the Host header: as it was given.
  std::string base_uri;                                ///< For cpprestsdk.
  std::optional<boost::asio::ip::tcp> address_family;  ///< If the host is an address.
};

Result<Endpoint> ParseServer(const std::string& server) {
  const auto refuse = [&server] {
    return Error{
        ErrorKind::kInvalid,
        fmt::format("\"{}\" is no URL of an API server; expected is https://HOST:PORT", server)};
  };
  Endpoint endpoint;
  endpoint.tls = server.starts_with("https://");
  if (!endpoint.tls && !server.starts_with("http://")) return refuse();
  const size_t begin = endpoint.tls ? 8 : 7;
  const size_t slash = std::min(server.find('/', begin), server.size());
  endpoint.authority = server.substr(begin, slash - begin);
  const std::string path = server.substr(slash);

  std::string port = endpoint.tls ? "443" : "80";
  const size_t bracket = endpoint.authority.find(']');
  const size_t colon = endpoint.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  endpoint.host = endpoint.authority.substr(0, colon);
  if (colon != std::string::npos) port = endpoint.authority.substr(colon + 1);
  if (bracket != std::string::npos) {
    if (bracket < 2 || endpoint.host.front() != '[' || bracket + 1 != endpoint.host.size()) {
      return refuse();
    }
    endpoint.host = endpoint.host.substr(1, bracket - 1);
  }
  uint16_t number = 0;
  const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (endpoint.host.empty() || bad != std::errc() || end != port.data() + port.size() ||
      number == 0) {
    return refuse();
  }
  unsigned char address[sizeof(in6_addr)];
  if (inet_pton(AF_INET, endpoint.host.c_str(), address) == 1) endpoint.address_family = tcp::v4();
  if (inet_pton(AF_INET6, endpoint.host.c_str(), address) == 1) endpoint.address_family = tcp::v6();
  // Without brackets: cpprestsdk hands the host to the resolver as it stands, and takes the last
  // colon for the port's.
  endpoint.base_uri =
      fmt::format("{}://{}:{}{}", endpoint.tls ? "https" : "http", endpoint.host, number, path);
  return endpoint;
}

/// A peer that vanished without a word is found in seconds, not in the kernel's quarter of an hour.
void TuneSocket(tcp::socket& socket) {
  const int fd = socket.native_handle();
  const auto set = [fd](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof(value));  // best effort
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 10'000);
  // One repeated SYN: about 3 s to connect (up to 7 s on kernels from 6.5 on, which repeat faster
  // but more often).
  set(IPPROTO_TCP, TCP_SYNCNT, 1);
}

/// How many connections this thread has begun. cpprestsdk calls the TLS context's callback within
/// request() when it opens a connection and not when it takes one from its pool: the only way to
/// tell these apart.
thread_local uint64_t connections_begun = 0;

/// A place among the requests under way, given back at the end.
class Slot {
 public:
  explicit Slot(Guarded<int>& free) : free_(free) {}
  ~Slot() {
    ++*free_.Lock();
    free_.NotifyOne();
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  Guarded<int>& free_;
};

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

class CppRestTransport final : public kube::Transport {
 public:
  CppRestTransport(kube::Credentials credentials, TransportOptions options, const Clock& clock,
                   Endpoint endpoint, std::shared_ptr<TlsContext> tls)
      : credentials_(std::move(credentials)),
        options_(std::move(options)),
        clock_(clock),
        endpoint_(std::move(endpoint)),
        tls_(std::move(tls)) {
    *slots_.Lock() = options_.connections;
  }

  Result<kube::Response> Send(const kube::Request& request, std::stop_token stop) override;
  Result<StreamResult> Stream(const kube::Request& request, const kube::StreamSink& sink,
                              std::stop_token stop) override;

 private:
  using ClientPtr = std::shared_ptr<http_client>;

  /// Who a request said we are.
  struct Login {
    std::string token;
    uint64_t tls_generation = 0;
  };

  /// One try of a unary request.
  struct Attempt {
    Result<kube::Response> result;
    Login login;
    bool maybe_stale = false;  ///< It failed on a connection from the pool before any answer came.
  };

  Attempt TrySend(const kube::Request& request, MonoTime deadline, const std::stop_token& stop);
  Result<StreamResult> TryStream(const kube::Request& request, const kube::StreamSink& sink,
                                 const std::stop_token& stop, Login& login);

  /// With a connection pool of its own.
  ClientPtr NewClient() const;
  Guarded<ClientPtr>& Pool(kube::Request::Lane lane) {
    return lane == kube::Request::Lane::kLease ? lease_client_ : client_;
  }
  /// Leaves the connections of both lanes to the requests that use them now.
  void DropConnections();

  Result<http_request> MakeRequest(const kube::Request& request, Login& login) const;
  /// After a 401: reads token, certificates and key again. True if there is something new to try.
  bool RenewCredentials(const Login& refused);

  Error Broken(const kube::Request& request, const std::string& why) const;
  static Error TimedOut(const kube::Request& request, std::string_view what);
  static Error Cancelled(const kube::Request& request);

  const kube::Credentials credentials_;
  const TransportOptions options_;
  const Clock& clock_;
  const Endpoint endpoint_;
  const std::shared_ptr<TlsContext> tls_;  ///< Null for http://.

  Guarded<int> slots_;  ///< Free places among the unary requests of the default lane.
  Guarded<ClientPtr> client_;
  Guarded<ClientPtr> lease_client_;
};

CppRestTransport::ClientPtr CppRestTransport::NewClient() const {
  http_client_config config;
  config.set_timeout(kNever);
  config.set_max_redirects(0);  // an API server sends none, and our token is for nobody else
  config.set_validate_certificates(!credentials_.insecure_skip_tls_verify);
  config.set_tlsext_sni_enabled(false);  // TlsContext does it
  if (tls_) {
    config.set_ssl_context_callback([tls = tls_](boost::asio::ssl::context& context) {
      ++connections_begun;
      tls->Apply(context.native_handle());
    });
  }
  // Runs before each request. A new connection's socket is not open yet; opened here, it can be set
  // up before it connects. That needs the address family, so a connection to a name is set up from
  // its second request on.
  config.set_nativehandle_options([tls = endpoint_.tls, family = endpoint_.address_family](
                                      web::http::client::native_handle handle) {
    tcp::socket& socket =
        tls ? static_cast<boost::asio::ssl::stream<tcp::socket&>*>(handle)->next_layer()
            : *static_cast<tcp::socket*>(handle);
    if (socket.is_open()) {
      if (!family) TuneSocket(socket);
    } else if (family) {
      boost::system::error_code failed;
      failed = socket.open(*family, failed);
      if (!failed) TuneSocket(socket);
    }
  });
  return std::make_shared<http_client>(web::uri(endpoint_.base_uri), config);
}

void CppRestTransport::DropConnections() {
  for (Guarded<ClientPtr>* pool : {&client_, &lease_client_}) {
    const ClientPtr dropped = std::exchange(*pool->Lock(), nullptr);
  }
}

Result<http_request> CppRestTransport::MakeRequest(const kube::Request& request,
                                                   Login& login) const {
  auto current = credentials_.token.Read(clock_);
  if (!current) return current.error();
  if (!IsPrintable(*current)) {
    return Error{ErrorKind::kInvalid, "the bearer token holds white space or control characters"};
  }
  login = {std::move(*current), tls_ ? tls_->generation() : 0};

  http_request message(request.method);
  try {
    message.set_request_uri(request.target);
  } catch (const std::exception& e) {
    return Error{ErrorKind::kInvalid, e.what()};
  }
  auto& headers = message.headers();
  headers.add(web::http::header_names::host, endpoint_.authority);
  headers.add(web::http::header_names::user_agent, options_.user_agent);
  headers.add(web::http::header_names::accept, "application/json");
  if (!login.token.empty()) {
    headers.add(web::http::header_names::authorization, "Bearer " + login.token);
  }
  if (!request.body.empty()) message.set_body(request.body, request.content_type);
  return message;
}

bool CppRestTransport::RenewCredentials(const Login& refused) {
  credentials_.token.Expire();
  if (tls_) {
    // The server judges a certificate with each request, and a connection keeps the one it began
    // with.
    tls_->Expire();
    if (tls_->Refresh(clock_)) DropConnections();
  }
  const auto token = credentials_.token.Read(clock_);
  // Another thread may have renewed them meanwhile, so what counts is what the refused request had.
  return (token && *token != refused.token) ||
         (tls_ && tls_->generation() != refused.tls_generation);
}

Error CppRestTransport::Broken(const kube::Request& request, const std::string& why) const {
  std::string message = fmt::format("{} {}{}: {}", request.method, credentials_.server,
                                    request.target.substr(0, request.target.find('?')), why);
  if (tls_ && why.find("certificate verify failed") != std::string::npos) {
    message += ": " + tls_->LastRefusal();
  }
  return {ErrorKind::kUnavailable, std::move(message)};
}

Error CppRestTransport::TimedOut(const kube::Request& request, std::string_view what) {
  return {ErrorKind::kTimeout, fmt::format("{} {}: {} within {}", request.method, request.target,
                                           what, request.timeout)};
}

Error CppRestTransport::Cancelled(const kube::Request& request) {
  return {ErrorKind::kCancelled, fmt::format("{} {}: cancelled", request.method, request.target)};
}

CppRestTransport::Attempt CppRestTransport::TrySend(const kube::Request& request, MonoTime deadline,
                                                    const std::stop_token& stop) {
  Attempt attempt{Error{}, {}};
  if (tls_ && tls_->Refresh(clock_)) DropConnections();
  ClientPtr client;
  {
    auto pool = Pool(request.lane).Lock();
    if (!*pool) *pool = NewClient();
    client = *pool;
  }
  const auto exchange = std::make_shared<Exchange>(Exchange::Mode::kCollect);
  const uint64_t begun = connections_begun;
  {
    // Ends before the wait: cpprestsdk must be the last to hold the request (see Exchange).
    auto message = MakeRequest(request, attempt.login);
    if (!message) {
      attempt.result = Broken(request, message.error().message);
      return attempt;
    }
    // An API server compresses long lists and nothing else (a watch never).
    message->headers().add(web::http::header_names::accept_encoding, "gzip");
    exchange->Start(*client, *message);
  }
  const bool pooled = tls_ && begun == connections_begun;

  switch (exchange->Wait(clock_, deadline, stop)) {
    case Exchange::Event::kStopped:
      exchange->Abandon();
      attempt.result = Cancelled(request);
      break;
    case Exchange::Event::kDeadline:
      exchange->Abandon();
      attempt.result = TimedOut(request, "no whole answer");
      break;
    case Exchange::Event::kPiece:
    case Exchange::Event::kFinished:
      if (const auto problem = exchange->problem()) {
        attempt.maybe_stale = pooled && exchange->status() == 0;
        attempt.result = Broken(request, *problem);
      } else {
        kube::Response response = exchange->TakeResponse();
        if (exchange->gzip()) {
          auto text = Gunzip(response.body);
          if (!text) {
            attempt.result = Broken(request, text.error().message);
            break;
          }
          response.body = std::move(*text);
        }
        attempt.result = std::move(response);
      }
      break;
  }
  return attempt;
}

Result<kube::Response> CppRestTransport::Send(const kube::Request& request, std::stop_token stop) {
  const MonoTime deadline = clock_.Mono() + request.timeout;
  std::optional<Slot> slot;
  if (request.lane == kube::Request::Lane::kDefault) {
    auto free = slots_.Lock();
    while (*free == 0) {
      if (stop.stop_requested()) return Cancelled(request);
      if (clock_.Mono() >= deadline) return TimedOut(request, "no connection was free");
      free.Wait(clock_, deadline, stop);
    }
    --*free;
    slot.emplace(slots_);
  }

  Attempt attempt = TrySend(request, deadline, stop);
  if (attempt.maybe_stale) {
    // The server closed the connection while it lay idle. If one was closed, so were likely the
    // others (the server was restarted), so the second try gets a new one. It is blind, which is
    // safe because all our writes are idempotent; cpprestsdk does the same when the end shows while
    // it waits for the answer.
    DropConnections();
    attempt = TrySend(request, deadline, stop);
  }
  if (attempt.result && attempt.result->status == 401 && RenewCredentials(attempt.login)) {
    attempt = TrySend(request, deadline, stop);
  }
  return std::move(attempt.result);
}

Result<kube::Transport::StreamResult> CppRestTransport::TryStream(const kube::Request& request,
                                                                  const kube::StreamSink& sink,
                                                                  const std::stop_token& stop,
                                                                  Login& login) {
  if (tls_ && tls_->Refresh(clock_)) DropConnections();
  // A client of its own, whose pool and connection end with it.
  const ClientPtr client = NewClient();
  const auto exchange = std::make_shared<Exchange>(Exchange::Mode::kHandOver);
  {
    auto message = MakeRequest(request, login);
    if (!message) return Broken(request, message.error().message);
    exchange->Start(*client, *message);
  }

  std::string refusal;
  while (true) {
    switch (exchange->Wait(clock_, clock_.Mono() + request.timeout, stop)) {
      case Exchange::Event::kStopped:
        exchange->Abandon();
        return Cancelled(request);
      case Exchange::Event::kDeadline:
        exchange->Abandon();
        return TimedOut(request, "nothing came");
      case Exchange::Event::kPiece:
        if (exchange->status() == 200) {
          if (!sink(exchange->piece())) {
            exchange->Abandon();
            return StreamResult{std::nullopt, {.by_server = false}};
          }
        } else {
          refusal.append(exchange->piece().substr(0, kMaxRefusal - refusal.size()));
        }
        exchange->Taken();
        break;
      case Exchange::Event::kFinished: {
        const int status = exchange->status();
        const auto problem = exchange->problem();
        // A refusal whose body broke off is still a refusal.
        if (problem && (status == 0 || status == 200)) return Broken(request, *problem);
        if (status == 200) return StreamResult{std::nullopt, {.by_server = true}};
        kube::Response response = exchange->TakeResponse();
        response.body = std::move(refusal);
        return StreamResult{std::move(response), {}};
      }
    }
  }
}

Result<kube::Transport::StreamResult> CppRestTransport::Stream(const kube::Request& request,
                                                               const kube::StreamSink& sink,
                                                               std::stop_token stop) {
  Login login;
  auto result = TryStream(request, sink, stop, login);
  if (result && result->refusal && result->refusal->status == 401 && RenewCredentials(login)) {
    result = TryStream(request, sink, stop, login);
  }
  return result;
}

void StartPool(int threads) {
  static std::once_flag once;
  std::call_once(once, [threads] {
    try {
      crossplat::threadpool::initialize_with_threads(static_cast<size_t>(std::max(threads, 1)));
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
      // Somebody else in this process started it; its size is a matter of thrift, not of
      // correctness.
    }
  });
}

}  // namespace

Result<std::unique_ptr<kube::Transport>> MakeCppRestTransport(kube::Credentials credentials,
                                                              TransportOptions options,
                                                              const Clock& clock) {
  auto endpoint = ParseServer(credentials.server);
  if (!endpoint) return endpoint.error();
  if (options.connections < 1) {
    return Error{ErrorKind::kInvalid, "the number of connections must be at least 1"};
  }
  const auto token = credentials.token.Read(clock);
  if (!token) return token.error();
  if (!IsPrintable(*token)) {
    return Error{ErrorKind::kInvalid, "the bearer token holds white space or control characters"};
  }
  std::shared_ptr<TlsContext> tls;
  if (endpoint->tls) {
    auto made = TlsContext::Make(credentials, endpoint->host, clock);
    if (!made) return made.error();
    tls = std::move(*made);
  }
  StartPool(options.threads);
  try {
    const http_client trial(web::uri(endpoint->base_uri));
  } catch (const std::exception& e) {
    return Error{ErrorKind::kInvalid,
                 fmt::format("\"{}\" is no usable URL: {}", credentials.server, e.what())};
  }
  return std::unique_ptr<kube::Transport>(std::make_unique<CppRestTransport>(
      std::move(credentials), std::move(options), clock, std::move(*endpoint), std::move(tls)));
}

}  // namespace roster::http
