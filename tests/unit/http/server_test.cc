#include "http/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <latch>
#include <stdexcept>
#include <thread>

namespace roster::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A client that sends exactly the bytes it is told to.
class RawClient {
 public:
  explicit RawClient(int port) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(port)});
    const timeval plenty{30, 0};  // a hang fails the test, instead of lasting for ever
    setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &plenty, sizeof(plenty));
  }

  void Write(std::string_view bytes) {
    error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(bytes), ignored);
  }
  void EndWriting() { socket_.shutdown(tcp::socket::shutdown_send); }

  /// One answer: its headers, and the body if `with_body`.
  std::string Read(bool with_body = true) {
    while (received_.find("\r\n\r\n") == std::string::npos && Receive()) {
    }
    const size_t end = std::min(received_.find("\r\n\r\n"), received_.size() - 4) + 4;
    size_t size = 0;
    if (const size_t at = received_.find("Content-Length: "); with_body && at < end) {
      size = std::stoul(received_.substr(at + 16));
    }
    while (received_.size() < end + size && Receive()) {
    }
    std::string answer = received_.substr(0, end + size);
    received_.erase(0, answer.size());
    return answer;
  }
  /// All that comes until the server hangs up.
  std::string ReadToEnd() {
    while (Receive()) {
    }
    return std::move(received_);
  }
  tcp::socket& socket() { return socket_; }

 private:
  bool Receive() {
    char piece[65536];
    const ssize_t size = recv(socket_.native_handle(), piece, sizeof(piece), 0);
    if (size > 0) received_.append(piece, static_cast<size_t>(size));
    return size > 0;
  }

  boost::asio::io_context io_;
  tcp::socket socket_{io_};
  std::string received_;
};

class ServerTest : public testing::Test {
 protected:
  void Start(ServerHandler handler = nullptr) {
    options_.address = "127.0.0.1:0";
    if (!handler) {
      handler = [](const ServerRequest& r) {
        return ServerResponse{200, "text/plain; charset=utf-8",
                              r.method + " " + r.path + " " + r.query + "\n"};
      };
    }
    auto started = Server::Start(options_, std::move(handler), SilentLogger());
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
    ASSERT_GT(server_->port(), 0);
  }
  std::string Ask(std::string_view bytes) {
    RawClient client(server_->port());
    client.Write(bytes);
    return client.Read();
  }
  static std::string BodyOf(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersGet) {
  Start();
  const std::string answer = Ask("GET /readyz/informer?verbose&x=%20 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_EQ(BodyOf(answer), "GET /readyz/informer verbose&x=%20\n");
}

TEST_F(ServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  Start();
  RawClient client(server_->port());
  client.Write("HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string answer = client.Read(false);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr(fmt::format("Content-Length: {}\r\n",
                                            std::string("HEAD /metrics \n").size())));
  // The next answer begins right after the headers.
  client.Write("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, PassesOnStatusAndContentType) {
  Start([](const ServerRequest&) { return ServerResponse{503, "application/json", "{}"}; });
  const std::string answer = Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
}

TEST_F(ServerTest, AHandlerThatThrowsIsA500AndTheServerLivesOn) {
  Start([](const ServerRequest& r) -> ServerResponse {
    if (r.path == "/throw") throw std::runtime_error("secret detail");
    return {};
  });
  const std::string answer = Ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, OtherMethodsAreRefusedWithWhatIsAllowed) {
  Start();
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"}) {
    const std::string answer =
        Ask(fmt::format("{} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", method));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
}

TEST_F(ServerTest, ABodyIsNotReadAndEndsTheConnection) {
  Start();
  RawClient client(server_->port());
  client.Write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" +
               std::string(100'000, 'x') + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  client.EndWriting();
  const std::string all = client.ReadToEnd();
  EXPECT_THAT(all, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(all, Not(HasSubstr("smuggled")));
}

TEST_F(ServerTest, WhatIsNoHttpIsRefused) {
  Start();
  for (const char* bytes :
       {"\x16\x03\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET * HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    RawClient client(server_->port());
    client.Write(bytes);
    client.EndWriting();
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 400 ")) << bytes;
  }
}

TEST_F(ServerTest, HeadersOverTheLimitAre431) {
  Start();
  const std::string just_right =
      "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(16'000, 'x') + "\r\n\r\n";
  EXPECT_THAT(Ask(just_right), StartsWith("HTTP/1.1 200 "));
  for (const std::string& much : {"GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
                                  "GET /" + std::string(17'000, 'x') + " HTTP/1.1\r\n\r\n"}) {
    RawClient client(server_->port());
    client.Write(much);
    client.EndWriting();
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 431 "));
  }
}

TEST_F(ServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Start();
  RawClient client(server_->port());
  std::string burst;
  for (int i = 0; i < 50; ++i) burst += fmt::format("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", i);
  client.Write(burst);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(BodyOf(client.Read()), fmt::format("GET /{} \n", i));
}

TEST_F(ServerTest, ClosesWhenTheClientAsksForIt) {
  Start();
  for (const char* request :
       {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    RawClient client(server_->port());
    client.Write(request);
    EXPECT_THAT(client.ReadToEnd(), EndsWith("GET / \n")) << request;
  }
}

TEST_F(ServerTest, ABigAnswerArrivesWhole) {
  const std::string big(20U << 20U, 'm');
  Start([&](const ServerRequest&) { return ServerResponse{200, "text/plain", big}; });
  EXPECT_TRUE(BodyOf(Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == big);
}

TEST_F(ServerTest, AHalfRequestIsGivenUp) {
  options_.request_timeout = milliseconds(100);
  Start();
  for (const char* half : {"", "GET / HT", "GET / HTTP/1.1\r\nHost: h\r\n"}) {
    RawClient client(server_->port());
    client.Write(half);
    EXPECT_EQ(client.ReadToEnd(), "") << half;
  }
}

TEST_F(ServerTest, HeadersThatDripAreGivenUpToo) {
  options_.request_timeout = milliseconds(300);
  Start();
  RawClient client(server_->port());
  std::jthread drip([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      client.Write("X");
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  options_.idle_timeout = milliseconds(100);
  Start();
  RawClient client(server_->port());
  client.Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(ServerTest, APeerThatDoesNotReadIsGivenUp) {
  options_.request_timeout = milliseconds(100);
  options_.max_connections = 1;
  Start([](const ServerRequest& r) {
    return ServerResponse{200, "text/plain",
                          r.path == "/big" ? std::string(64U << 20U, 'm') : "ok"};
  });
  RawClient deaf(server_->port());
  deaf.Write("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  // Its place becomes free, though it never hangs up.
  for (int tries = 0;; ++tries) {
    ASSERT_LT(tries, 300);
    RawClient next(server_->port());
    next.Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    if (next.Read().starts_with("HTTP/1.1 200 ")) break;
    std::this_thread::sleep_for(milliseconds(50));
  }
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreClosedAtOnceAndPlacesComeBack) {
  options_.max_connections = 2;
  Start();
  auto first = std::make_unique<RawClient>(server_->port());
  RawClient second(server_->port());
  for (RawClient* client : {first.get(), &second}) {
    client->Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client->Read(), StartsWith("HTTP/1.1 200 "));
  }
  RawClient third(server_->port());
  third.Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(third.ReadToEnd(), "");
  first.reset();
  for (int tries = 0;; ++tries) {
    ASSERT_LT(tries, 300);
    RawClient next(server_->port());
    next.Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    if (next.Read().starts_with("HTTP/1.1 200 ")) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
}

TEST_F(ServerTest, EndsWithConnectionsInEveryState) {
  Start();
  RawClient idle(server_->port());
  idle.Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idle.Read(), StartsWith("HTTP/1.1 200 "));
  RawClient half(server_->port());
  half.Write("GET / HT");
  RawClient fresh(server_->port());
  server_.reset();
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(half.ReadToEnd(), "");
  EXPECT_EQ(fresh.ReadToEnd(), "");
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  Start();
  std::atomic<int> right{0};
  std::vector<std::jthread> threads;
  threads.reserve(20);
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        if (Ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("GET /a \n")) ++right;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 400);
}

// ---- Addresses

std::string StartAt(const std::string& address) {
  ServerOptions options;
  options.address = address;
  const auto started =
      Server::Start(options, [](const ServerRequest&) { return ServerResponse{}; }, SilentLogger());
  return started ? "listening"
                 : std::string(ToString(started.error().kind)) + ": " + started.error().message;
}

TEST_F(ServerTest, ListensOnAddressesOfEveryForm) {
  for (const char* address : {":0", "127.0.0.1:0", "localhost:0", "0.0.0.0:0"}) {
    EXPECT_EQ(StartAt(address), "listening") << address;
  }
}

TEST_F(ServerTest, AllInterfacesIncludeIpv4) {
  options_.address = ":0";
  auto started = Server::Start(
      options_, [](const ServerRequest&) { return ServerResponse{}; }, SilentLogger());
  ASSERT_TRUE(started);
  RawClient client((*started)->port());
  client.Write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AnAddressThatMakesNoSenseIsInvalid) {
  for (const char* address : {"", "8081", "localhost", ":", ":x", ":-1", ":65536", ":1x", "::1:80",
                              "[]:80", "[::1", "a]:1"}) {
    EXPECT_THAT(StartAt(address),
                StartsWith(fmt::format("Invalid: \"{}\" is no address", address)));
  }
}

TEST_F(ServerTest, AnAddressThatIsTakenOrUnknownIsUnavailable) {
  Start();
  const std::string taken = fmt::format("127.0.0.1:{}", server_->port());
  EXPECT_EQ(StartAt(taken),
            "Unavailable: cannot listen on \"" + taken + "\": Address already in use");
  EXPECT_THAT(StartAt("203.0.113.1:0"),
              StartsWith("Unavailable: cannot listen on \"203.0.113.1:0\": "));
}

}  // namespace
}  // namespace roster::http
