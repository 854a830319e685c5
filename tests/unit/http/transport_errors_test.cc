// What goes wrong, and how soon it is told.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <latch>
#include <thread>

#include "unit/http/transport_fixture.h"

namespace roster::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class TransportErrorsTest : public TransportTest {};

TEST_F(TransportErrorsTest, NobodyListening) {
  Serve([](Peer&, const SeenRequest&) { return false; });
  const std::string url = server_->url();
  server_.reset();
  EXPECT_THAT(
      Describe(Send(Get("/api?secret=1"))),
      AllOf(StartsWith("Unavailable: GET " + url + "/api: "), HasSubstr("connection refused")));
}

TEST_F(TransportErrorsTest, ANameThatDoesNotExist) {
  credentials_.server = "https://no-such-host.invalid:6443";
  const auto response = Send(Get("/", milliseconds(20'000)));
  ASSERT_FALSE(response);
  // Without any resolver the timeout may come first.
  EXPECT_TRUE(response.error().kind == ErrorKind::kUnavailable ||
              response.error().kind == ErrorKind::kTimeout)
      << response.error().message;
  EXPECT_THAT(response.error().message, testing::Not(HasSubstr("not permitted")));
}

TEST_F(TransportErrorsTest, AConnectionResetBeforeTheAnswer) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Reset();
    return false;
  });
  EXPECT_THAT(Describe(Send(Get("/"))), StartsWith("Unavailable: "));
  EXPECT_EQ(server_->requests().size(), 1U) << "a new connection that breaks is no stale one";
}

TEST_F(TransportErrorsTest, AConnectionClosedBeforeTheAnswer) {
  Serve([](Peer&, const SeenRequest&) { return false; });
  EXPECT_THAT(Describe(Send(Get("/"))), StartsWith("Unavailable: "));
}

TEST_F(TransportErrorsTest, AnAnswerThatBreaksOff) {
  Serve([](Peer& peer, const SeenRequest& request) {
    if (request.target == "/length")
      peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    if (request.target == "/chunked") {
      peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      peer.WriteChunk("one");
    }
    if (request.target == "/headers") peer.Write("HTTP/1.1 200 OK\r\nContent-Le");
    return false;
  });
  for (const char* target : {"/length", "/chunked", "/headers"}) {
    EXPECT_THAT(Describe(Send(Get(target))), StartsWith("Unavailable: ")) << target;
  }
}

TEST_F(TransportErrorsTest, AnAnswerThatIsNoHttp) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    return false;
  });
  EXPECT_THAT(Describe(Send(Get("/"))), StartsWith("Unavailable: "));
}

TEST_F(TransportErrorsTest, AServerWithoutTls) {
  TestServer::Options options;
  options.tls = false;
  Serve(std::move(options), [](Peer& peer, const SeenRequest&) { return peer.Answer(200, ""); });
  credentials_.server = "https://127.0.0.1:" + std::to_string(server_->port());
  EXPECT_THAT(Describe(Send(Get("/"))),
              AllOf(StartsWith("Unavailable: "), HasSubstr("SSL handshake")));
}

TEST_F(TransportErrorsTest, NoAnswerInTime) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.AwaitHangUp();
    return false;
  });
  const auto response = Send(Get("/slow", milliseconds(200)));
  EXPECT_EQ(Describe(response), "Timeout: GET /slow: no whole answer within 200ms");
  EXPECT_GE(SinceStart(), milliseconds(200));
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportErrorsTest, AnAnswerThatDripsIsCutOffToo) {
  // Each piece would start an idle timer anew.
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.WriteChunk("x") && peer.Pause(milliseconds(20))) {
    }
    return false;
  });
  EXPECT_THAT(Describe(Send(Get("/", milliseconds(300)))), StartsWith("Timeout: "));
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportErrorsTest, AServerThatNeverFinishesItsHandshake) {
  // Connected by the kernel's backlog, and then nothing.
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor silent(io, {boost::asio::ip::address_v4::loopback(), 0});
  credentials_.server = "https://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  EXPECT_THAT(Describe(Send(Get("/", milliseconds(200)))), StartsWith("Timeout: "));
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportErrorsTest, CancelledInTheMiddle) {
  std::latch waiting(1);
  Serve([&](Peer& peer, const SeenRequest&) {
    waiting.count_down();
    peer.AwaitHangUp();
    return false;
  });
  Transport();
  std::stop_source stop;
  std::jthread canceller([&] {
    waiting.wait();
    stop.request_stop();
  });
  EXPECT_EQ(Describe(Send(Get("/x"), stop.get_token())), "Cancelled: GET /x: cancelled");
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportErrorsTest, CancelledBeforeItBegan) {
  Serve([](Peer& peer, const SeenRequest&) { return peer.Answer(200, "late"); });
  std::stop_source stop;
  stop.request_stop();
  const auto response = Send(Get("/"), stop.get_token());
  EXPECT_THAT(Describe(response), StartsWith("Cancelled: "));
}

TEST_F(TransportErrorsTest, CancelledWhileItWaitedForAConnection) {
  options_.connections = 1;
  std::latch waiting(1);
  Serve([&](Peer& peer, const SeenRequest&) {
    waiting.count_down();
    peer.AwaitHangUp();
    return false;
  });
  Transport();
  std::stop_source stop;
  std::jthread first(
      [&] { EXPECT_THAT(Describe(Send(Get("/1"), stop.get_token())), StartsWith("Cancelled")); });
  waiting.wait();
  std::jthread second(
      [&] { EXPECT_THAT(Describe(Send(Get("/2"), stop.get_token())), StartsWith("Cancelled")); });
  stop.request_stop();
  first.join();
  second.join();
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportErrorsTest, AfterATimeoutTheNextRequestGetsItsOwnAnswer) {
  // The late answer to the first must never be taken for the answer to the second.
  Serve([](Peer& peer, const SeenRequest& request) {
    if (request.target == "/slow" && !peer.Pause(milliseconds(150))) return false;
    return peer.Answer(200, request.target);
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Describe(Send(Get("/slow", milliseconds(50)))), StartsWith("Timeout: "));
    EXPECT_EQ(Describe(Send(Get("/fast"))), "200 /fast");
  }
}

TEST_F(TransportErrorsTest, ATransportCanEndWhileAnAnswerIsStillOutstanding) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.AwaitHangUp();
    return false;
  });
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(Describe(Send(Get("/", milliseconds(20)))), StartsWith("Timeout: "));
    transport_.reset();
  }
}

}  // namespace
}  // namespace roster::http
