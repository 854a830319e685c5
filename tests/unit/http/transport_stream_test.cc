// Answers that come piece by piece and may never end.

#include <atomic>
#include <latch>
#include <thread>

#include "unit/http/transport_fixture.h"

namespace roster::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using StreamResult = kube::Transport::StreamResult;

constexpr char kChunkedHeader[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

class TransportStreamTest : public TransportTest {
 protected:
  Result<StreamResult> Stream(const Request& request, const kube::StreamSink& sink,
                              std::stop_token stop = {}) {
    return Transport().Stream(request, sink, std::move(stop));
  }
  /// "server", "sink", "refused STATUS BODY", or "Kind: message".
  static std::string Describe(const Result<StreamResult>& result) {
    if (!result) return std::string(ToString(result.error().kind)) + ": " + result.error().message;
    if (result->refusal) {
      return "refused " + std::to_string(result->refusal->status) + " " + result->refusal->body;
    }
    return result->end.by_server ? "server" : "sink";
  }
};

TEST_F(TransportStreamTest, PiecesArriveWhenTheyAreSentAndNotWhenAllAreThere) {
  std::latch first_arrived(1);
  Serve([&](Peer& peer, const SeenRequest&) {
    peer.Write(kChunkedHeader);
    peer.WriteChunk("one\n");
    first_arrived.wait();  // would wait for ever if pieces were gathered
    return peer.WriteChunk("two\n") && peer.WriteChunk("");
  });
  std::string body;
  const auto result = Stream(Get("/?watch=true"), [&](std::string_view piece) {
    if (body.empty()) first_arrived.count_down();
    body += piece;
    return true;
  });
  EXPECT_EQ(Describe(result), "server");
  EXPECT_EQ(body, "one\ntwo\n");
}

TEST_F(TransportStreamTest, EveryByteArrivesInOrder) {
  std::string sent;
  for (int i = 0; i < 500'000; ++i) sent += std::to_string(i) + "\n";
  Serve([&](Peer& peer, const SeenRequest& request) {
    if (request.target == "/length") return peer.Answer(200, sent);
    peer.Write(kChunkedHeader);
    for (size_t i = 0; i < sent.size(); i += 99'991) peer.WriteChunk(sent.substr(i, 99'991));
    return peer.WriteChunk("");
  });
  for (const char* target : {"/chunked", "/length"}) {
    std::string received;
    const auto result = Stream(Get(target), [&](std::string_view piece) {
      received += piece;
      return true;
    });
    EXPECT_EQ(Describe(result), "server");
    EXPECT_TRUE(received == sent) << target << ": " << received.size() << " of " << sent.size();
  }
}

TEST_F(TransportStreamTest, TheSinkRunsOnTheCallersThread) {
  Serve([](Peer& peer, const SeenRequest&) { return peer.Answer(200, "x"); });
  std::thread::id thread;
  Stream(Get("/"), [&](std::string_view) {
    thread = std::this_thread::get_id();
    return true;
  }).ok();
  EXPECT_EQ(thread, std::this_thread::get_id());
}

TEST_F(TransportStreamTest, ASlowSinkSlowsTheServerDownInsteadOfFillingTheMemory) {
  static constexpr size_t kPiece = 1U << 20U;
  static constexpr int kPieces = 256;
  std::atomic<int> written{0};
  Serve([&](Peer& peer, const SeenRequest&) {
    const std::string piece(kPiece, 'x');
    peer.Write(kChunkedHeader);
    for (int i = 0; i < kPieces; ++i) {
      if (!peer.WriteChunk(piece)) return false;
      ++written;
    }
    return peer.WriteChunk("");
  });
  size_t received = 0;
  int written_meanwhile = 0;
  const auto result = Stream(Get("/"), [&](std::string_view piece) {
    if (received == 0) {
      // The server gets stuck when the sockets' buffers are full: wait until it makes no progress.
      for (int before = -1; before != written || before == 0;) {
        before = written;
        std::this_thread::sleep_for(milliseconds(100));
      }
      written_meanwhile = written;
    }
    received += piece.size();
    return true;
  });
  EXPECT_EQ(Describe(result), "server");
  EXPECT_EQ(received, kPiece * kPieces);
  EXPECT_LT(written_meanwhile, kPieces / 2) << "MiB were sent while the sink held the first piece";
}

TEST_F(TransportStreamTest, TheSinkEndsTheStreamAndTheConnection) {
  std::latch hung_up(1);
  Serve([&](Peer& peer, const SeenRequest&) {
    peer.Write(kChunkedHeader);
    peer.WriteChunk("one");
    peer.WriteChunk("two");
    peer.AwaitHangUp();
    hung_up.count_down();
    return false;
  });
  int pieces = 0;
  EXPECT_EQ(Describe(Stream(Get("/"), [&](std::string_view) { return ++pieces, false; })), "sink");
  EXPECT_EQ(pieces, 1);
  hung_up.wait();
}

TEST_F(TransportStreamTest, ARefusalNeverReachesTheSink) {
  Serve([](Peer& peer, const SeenRequest& request) {
    if (request.target == "/chunked") {
      return peer.Write("HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n") &&
             peer.WriteChunk("too ") && peer.WriteChunk("old") && peer.WriteChunk("");
    }
    return peer.Answer(429, "slow down", "Retry-After: 3\r\n");
  });
  const auto never = [](std::string_view) {
    ADD_FAILURE();
    return true;
  };
  EXPECT_EQ(Describe(Stream(Get("/chunked"), never)), "refused 410 too old");
  const auto throttled = Stream(Get("/"), never);
  EXPECT_EQ(Describe(throttled), "refused 429 slow down");
  EXPECT_EQ(throttled->refusal->retry_after, std::chrono::seconds(3));
}

TEST_F(TransportStreamTest, SilenceIsATimeoutFromTheStartAndBetweenPieces) {
  Serve([](Peer& peer, const SeenRequest& request) {
    if (request.target != "/mute") {
      peer.Write(kChunkedHeader);
      peer.WriteChunk("one");
    }
    peer.AwaitHangUp();
    return false;
  });
  for (const char* target : {"/mute", "/after-one"}) {
    EXPECT_EQ(
        Describe(Stream(Get(target, milliseconds(200)), [](std::string_view) { return true; })),
        "Timeout: GET " + std::string(target) + ": nothing came within 200ms");
  }
  EXPECT_GE(SinceStart(), milliseconds(400));
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportStreamTest, AStreamMayLastLongerThanItsTimeoutAsLongAsSomethingComes) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Write(kChunkedHeader);
    for (int i = 0; i < 20; ++i) {
      if (!peer.Pause(milliseconds(100)) || !peer.WriteChunk("x")) return false;
    }
    return peer.WriteChunk("");
  });
  size_t received = 0;
  EXPECT_EQ(Describe(Stream(Get("/", milliseconds(1500)),
                            [&](std::string_view piece) {
                              received += piece.size();
                              return true;
                            })),
            "server");
  EXPECT_EQ(received, 20U);
  EXPECT_GE(SinceStart(), milliseconds(2000));
}

TEST_F(TransportStreamTest, ASlowSinkIsNoSilence) {
  Serve([](Peer& peer, const SeenRequest&) {
    return peer.Write(kChunkedHeader) && peer.WriteChunk("one") && peer.WriteChunk("two") &&
           peer.WriteChunk("");
  });
  EXPECT_EQ(Describe(Stream(Get("/", milliseconds(500)),
                            [](std::string_view) {
                              std::this_thread::sleep_for(milliseconds(700));
                              return true;
                            })),
            "server");
}

TEST_F(TransportStreamTest, ABrokenStreamIsUnavailable) {
  Serve([](Peer& peer, const SeenRequest& request) {
    peer.Write(kChunkedHeader);
    peer.WriteChunk("one");
    // Until the client has it, or the reset would overtake it.
    peer.Pause(milliseconds(100));
    if (request.target == "/reset") peer.Reset();
    return false;
  });
  for (const char* target : {"/reset", "/close"}) {
    EXPECT_THAT(Describe(Stream(Get(target), [](std::string_view) { return true; })),
                StartsWith("Unavailable: "))
        << target;
  }
}

TEST_F(TransportStreamTest, CancelledInTheMiddle) {
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Write(kChunkedHeader);
    peer.WriteChunk("one");
    peer.AwaitHangUp();
    return false;
  });
  std::stop_source stop;
  std::jthread canceller;
  EXPECT_THAT(Describe(Stream(
                  Get("/"),
                  [&](std::string_view) {
                    canceller = std::jthread([&stop] { stop.request_stop(); });
                    return true;
                  },
                  stop.get_token())),
              StartsWith("Cancelled: "));
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportStreamTest, ManyStreamsEndTogetherAtOnce) {
  std::atomic<int> started{0};
  Serve([](Peer& peer, const SeenRequest&) {
    peer.Write(kChunkedHeader);
    peer.WriteChunk("one");
    peer.AwaitHangUp();
    return false;
  });
  Transport();
  std::stop_source stop;
  std::atomic<int> cancelled{0};
  std::vector<std::jthread> threads;
  threads.reserve(20);
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      const auto result = Stream(
          Get("/"),
          [&](std::string_view) {
            if (++started == 20) stop.request_stop();
            return true;
          },
          stop.get_token());
      if (!result && result.error().kind == ErrorKind::kCancelled) ++cancelled;
    });
  }
  threads.clear();
  EXPECT_EQ(cancelled, 20);
  EXPECT_LT(SinceStart(), kPlenty);
}

TEST_F(TransportStreamTest, AStreamTakesNoConnectionFromTheRest) {
  options_.connections = 1;
  Serve([](Peer& peer, const SeenRequest& request) {
    if (request.target == "/") return peer.Answer(200, "hello");
    peer.Write(kChunkedHeader);
    peer.WriteChunk("one");
    peer.AwaitHangUp();
    return false;
  });
  EXPECT_EQ(Describe(Stream(Get("/watch"),
                            [&](std::string_view) {
                              EXPECT_EQ(TransportTest::Describe(Send(Get("/"))), "200 hello");
                              return false;
                            })),
            "sink");
}

TEST_F(TransportStreamTest, NoGzipIsAskedForAStream) {
  Serve([](Peer& peer, const SeenRequest&) { return peer.Answer(200, "x"); });
  EXPECT_EQ(Describe(Stream(Get("/"), [](std::string_view) { return true; })), "server");
  EXPECT_EQ(server_->requests().front().Header("accept-encoding"), "");
}

TEST_F(TransportStreamTest, ATokenIsReadAgainWhenAStreamIsRefused) {
  const std::string file = testing::TempDir() + "roster-stream-token-" + std::to_string(getpid());
  std::ofstream(file) << "old";
  credentials_.token = kube::Secret::File(file, std::chrono::hours(1));
  Serve([](Peer& peer, const SeenRequest& request) {
    return request.Header("authorization") == "Bearer new" ? peer.Answer(200, "x")
                                                           : peer.Answer(401, "who?");
  });
  EXPECT_EQ(Describe(Stream(Get("/"), [](std::string_view) { return true; })), "refused 401 who?");
  std::ofstream(file) << "new";
  EXPECT_EQ(Describe(Stream(Get("/"), [](std::string_view) { return true; })), "server");
  std::remove(file.c_str());
}

}  // namespace
}  // namespace roster::http
