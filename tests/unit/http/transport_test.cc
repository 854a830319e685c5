// Unary requests over a real socket.

#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "unit/http/gzip_sample.h"
#include "unit/http/transport_fixture.h"

namespace roster::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

bool Hello(Peer& peer, const SeenRequest& /*request*/) {
  return peer.Answer(200, "hello");
}

TEST_F(TransportTest, SendsMethodTargetHeadersAndBodyAsTheyAre) {
  Serve(Hello);
  credentials_.token = kube::Secret::Inline("t0ken");
  Request request;
  request.method = "PATCH";
  request.target = "/apis/a/n%2Fs/b%20c?x=1%2C2&y=%28z%29&watch=true";
  request.content_type = "application/merge-patch+json";
  request.body = R"({"a":"\u00fc"})";
  request.timeout = kPlenty;
  EXPECT_EQ(Describe(Send(request)), "200 hello");

  ASSERT_EQ(server_->requests().size(), 1U);
  const SeenRequest seen = server_->requests().front();
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.target, request.target);
  EXPECT_EQ(seen.body, request.body);
  EXPECT_EQ(seen.Header("content-type"), "application/merge-patch+json");
  EXPECT_EQ(seen.Header("content-length"), std::to_string(request.body.size()));
  EXPECT_EQ(seen.Header("accept"), "application/json");
  EXPECT_EQ(seen.Header("authorization"), "Bearer t0ken");
  EXPECT_EQ(seen.Header("user-agent"), "roster/test");
  EXPECT_EQ(seen.Header("host"), "127.0.0.1:" + std::to_string(server_->port()));
}

TEST_F(TransportTest, WithoutATokenNoneIsSent) {
  Serve(Hello);
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->requests().front().headers.count("authorization"), 0U);
}

TEST_F(TransportTest, ABigBodyArrivesWholeBothWays) {
  Serve([](Peer& peer, const SeenRequest& request) { return peer.Answer(200, request.body); });
  Request request = Get("/");
  request.method = "POST";
  request.content_type = "application/json";
  for (int i = 0; i < 400'000; ++i) request.body += std::to_string(i);
  const auto response = Send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_TRUE(response->body == request.body);
}

TEST_F(TransportTest, EveryStatusIsAnAnswerAndRetryAfterIsRead) {
  Serve([](Peer& peer, const SeenRequest& request) {
    const int status = std::stoi(request.target.substr(1));
    if (status == 204) return peer.Write("HTTP/1.1 204 No Content\r\n\r\n");
    return peer.Answer(status, "b",
                       status == 429   ? "Retry-After: 17\r\n"
                       : status == 503 ? "Retry-After: soon\r\n"
                                       : "");
  });
  for (const int status : {200, 201, 400, 404, 409, 410, 422, 429, 500, 503, 504}) {
    const auto response = Send(Get("/" + std::to_string(status)));
    ASSERT_TRUE(response) << status << ": " << response.error().message;
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body, "b");
    EXPECT_EQ(response->retry_after,
              status == 429 ? std::optional(std::chrono::seconds(17)) : std::nullopt);
  }
  EXPECT_EQ(Describe(Send(Get("/204"))), "204 ");
}

TEST_F(TransportTest, ARedirectIsNotFollowed) {
  Serve([](Peer& peer, const SeenRequest&) {
    return peer.Answer(302, "", "Location: /elsewhere\r\n");
  });
  credentials_.token = kube::Secret::Inline("t");
  EXPECT_EQ(Describe(Send(Get("/"))), "302 ");
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(TransportTest, AServerUnderAPathIsAskedUnderThatPath) {
  Serve(Hello);
  credentials_.server += "/k8s/clusters/c-1";
  EXPECT_EQ(Describe(Send(Get("/api/v1/pods?limit=5"))), "200 hello");
  EXPECT_EQ(server_->requests().front().target, "/k8s/clusters/c-1/api/v1/pods?limit=5");
}

TEST_F(TransportTest, AnIpv6AddressNeedsNoBracketsOnTheWire) {
  TestServer::Options options;
  options.identity = ServerIdentity();
  options.address = "::1";
  try {
    Serve(std::move(options), Hello);
  } catch (const std::exception& e) {
    GTEST_SKIP() << "this machine has no IPv6 on loopback: " << e.what();
  }
  credentials_.server = server_->url("[::1]");
  EXPECT_EQ(Describe(Send(Get("/a?b=c"))), "200 hello");
  EXPECT_EQ(server_->requests().front().Header("host"), "[::1]:" + std::to_string(server_->port()));
  EXPECT_EQ(server_->requests().front().target, "/a?b=c");
}

TEST_F(TransportTest, PlainHttpIsSpokenWhenAskedFor) {
  TestServer::Options options;
  options.tls = false;
  Serve(std::move(options), Hello);
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(TransportTest, ChunkedAnswersArePutTogether) {
  Serve([](Peer& peer, const SeenRequest&) {
    return peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") &&
           peer.WriteChunk("one ") && peer.WriteChunk("two ") && peer.WriteChunk("three") &&
           peer.WriteChunk("");
  });
  EXPECT_EQ(Describe(Send(Get("/"))), "200 one two three");
  EXPECT_EQ(Describe(Send(Get("/"))), "200 one two three");
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(TransportTest, GzipIsAskedForAndUndoneHoweverItArrives) {
  Serve([](Peer& peer, const SeenRequest& request) {
    if (request.target == "/whole")
      return peer.Answer(200, GzipSample(), "Content-Encoding: gzip\r\n");
    if (!peer.Write(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"))
      return false;
    const size_t size = std::stoul(request.target.substr(1));
    for (size_t i = 0; i < GzipSample().size(); i += size)
      peer.WriteChunk(GzipSample().substr(i, size));
    return peer.WriteChunk("");
  });
  for (const char* target : {"/whole", "/1", "/7", "/100", "/552", "/553"}) {
    const auto response = Send(Get(target));
    ASSERT_TRUE(response) << target << ": " << response.error().message;
    EXPECT_TRUE(response->body == GunzippedSample())
        << target << ": " << response->body.size() << " bytes";
  }
  EXPECT_THAT(server_->requests().front().Header("accept-encoding"), HasSubstr("gzip"));
}

TEST_F(TransportTest, BrokenGzipIsABrokenAnswer) {
  Serve([](Peer& peer, const SeenRequest&) {
    return peer.Answer(200, "this is no gzip at all", "Content-Encoding: gzip\r\n");
  });
  EXPECT_THAT(Describe(Send(Get("/"))), StartsWith("Unavailable: "));
}

// ---- Connections

TEST_F(TransportTest, AConnectionIsUsedAgain) {
  Serve(Hello);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(TransportTest, ConnectionCloseIsObeyed) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Answer(200, "bye", "Connection: close\r\n");
    return false;
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Describe(Send(Get("/"))), "200 bye");
  EXPECT_EQ(server_->connections(), 3);
}

TEST_F(TransportTest, AConnectionThatDiedWhileIdleIsReplacedUnseen) {
  // The server hangs up after each answer without having said so.
  Serve([](Peer& peer, const SeenRequest& request) {
    peer.Answer(200, std::to_string(request.body.size()));
    return false;
  });
  // Small bodies fail when the answer is read, big ones while they are written.
  for (const size_t size : {size_t{0}, size_t{10}, size_t{4} << 20U}) {
    for (int i = 0; i < 5; ++i) {
      Request request = Get("/");
      if (size > 0) {
        request.method = "PUT";
        request.content_type = "application/json";
        request.body.assign(size, 'x');
      }
      EXPECT_EQ(Describe(Send(request)), "200 " + std::to_string(size)) << "request " << i;
    }
  }
}

TEST_F(TransportTest, AHundredRequestsAtOnceShareTheConnectionsAllowed) {
  options_.connections = 8;
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  Serve([&](Peer& peer, const SeenRequest& request) {
    const int current = ++now;
    for (int seen = most; seen < current && !most.compare_exchange_weak(seen, current);) {
    }
    peer.Pause(milliseconds(5));
    --now;
    return peer.Answer(200, request.target);
  });
  Transport();
  std::vector<std::jthread> threads;
  std::atomic<int> right{0};
  threads.reserve(100);
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([&, i] {
      const std::string target = "/" + std::to_string(i);
      if (Describe(Send(Get(target))) == "200 " + target) ++right;
    });
  }
  threads.clear();
  EXPECT_EQ(right, 100);
  EXPECT_LE(most, 8);
  EXPECT_LE(server_->connections(), 8);
}

TEST_F(TransportTest, TheLeaseNeverQueuesBehindTheRest) {
  options_.connections = 1;
  std::latch hanging(1);
  Serve([&](Peer& peer, const SeenRequest& request) {
    if (request.target == "/hang") {
      hanging.count_down();
      peer.AwaitHangUp();
      return false;
    }
    return peer.Answer(200, "hello");
  });
  Transport();
  std::stop_source stop;
  std::jthread other([&] {
    EXPECT_THAT(Describe(Send(Get("/hang"), stop.get_token())), StartsWith("Cancelled"));
  });
  hanging.wait();
  Request lease = Get("/lease");
  lease.lane = Request::Lane::kLease;
  EXPECT_EQ(Describe(Send(lease)), "200 hello");
  EXPECT_THAT(Describe(Send(Get("/next", milliseconds(50)))),
              HasSubstr("no connection was free within 50ms"));
  stop.request_stop();
  other.join();
  EXPECT_EQ(Describe(Send(Get("/next"))), "200 hello");
}

TEST_F(TransportTest, ATokenFileIsReadAgainAtOnceWhenTheServerRefusesTheOldOne) {
  const std::string file = testing::TempDir() + "roster-token-" + std::to_string(getpid());
  const auto write = [&file](const char* token) { std::ofstream(file) << token << "\n"; };
  write("old");
  credentials_.token = kube::Secret::File(file, std::chrono::hours(1));
  std::string good = "Bearer old";
  std::mutex mutex;
  Serve([&](Peer& peer, const SeenRequest& request) {
    const std::lock_guard lock(mutex);
    return peer.Answer(request.Header("authorization") == good ? 200 : 401, "x");
  });
  EXPECT_EQ(Describe(Send(Get("/"))), "200 x");
  {
    const std::lock_guard lock(mutex);
    good = "Bearer new";
  }
  // Refused, and nothing new to try: one request, not two.
  EXPECT_EQ(Describe(Send(Get("/"))), "401 x");
  EXPECT_EQ(server_->requests().size(), 2U);
  write("new");
  EXPECT_EQ(Describe(Send(Get("/"))), "200 x");
  EXPECT_EQ(server_->requests().size(), 4U);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace roster::http
