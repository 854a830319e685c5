// Watches of the fake API server that break, end, last, and tell of bookmarks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "fakes/fake_api_server.h"
#include "fakes/fake_clock.h"
#include "kube/client.h"

namespace roster::fake {
namespace {

using namespace std::chrono_literals;
using kube::WatchEvent;
using kube::WatchEventType;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WatchTest : public ::testing::Test {
 protected:
  json Put(const std::string& name) {
    return server_.Put({{"apiVersion", "agentroster.dev/v1alpha1"},
                        {"kind", "Agent"},
                        {"metadata", {{"name", name}}},
                        {"spec", {{"type", "research"}, {"endpoint", json::object()}}}});
  }
  // Watches from `version` on, names of events into seen_.
  Result<bool> Watch(uint64_t version, std::stop_token stop = {}) {
    kube::WatchOptions options;
    options.resource_version = std::to_string(version);
    return client_.Watch(
        kube::kAgents, options,
        [&](WatchEvent&& event) {
          auto seen = seen_.Lock();
          const bool bookmark = event.type == WatchEventType::kBookmark;
          seen->push_back(bookmark ? "bookmark" : event.object["metadata"].value("name", "error"));
          return true;
        },
        std::move(stop));
  }
  std::vector<std::string> Seen() { return *seen_.Lock(); }
  // For a thread to get somewhere.
  static bool Soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 10'000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
    return condition();
  }

  FakeClock clock_;
  FakeApiServer server_{clock_};
  kube::Client client_{server_};
  Guarded<std::vector<std::string>> seen_;
};

TEST_F(WatchTest, EndsOnceAllIsDelivered) {
  const uint64_t start = server_.version();
  Put("a");
  Put("b");
  const auto by_server = Watch(start);
  ASSERT_TRUE(by_server);
  EXPECT_TRUE(*by_server);
  EXPECT_THAT(Seen(), ElementsAre("a", "b"));
}

TEST_F(WatchTest, BreaksInTheMiddleOfALine) {
  const uint64_t start = server_.version();
  const size_t first_line = json{{"type", "ADDED"}, {"object", Put("a")}}.dump().size() + 1;
  Put("b");
  server_.FailNext("watch", "agents", 1, Fault::CutStream(first_line + 20));
  const auto broken = Watch(start);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(Seen(), ElementsAre("a"));
}

TEST_F(WatchTest, MayComeInSmallPieces) {
  const uint64_t start = server_.version();
  Put("a");
  Put("b");
  server_.SetPieceSize(7);
  EXPECT_TRUE(Watch(start));
  EXPECT_THAT(Seen(), ElementsAre("a", "b"));
}

TEST_F(WatchTest, MayBeginWithALineThatIsNoEvent) {
  server_.FailNext("watch", "*", 1, Fault::MalformedBody());
  const auto broken = Watch(server_.version());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kMalformed);
}

TEST_F(WatchTest, MayBeRefused) {
  server_.FailNext("watch", "*", 1, Fault::Answer(410, "Expired", "too old"));
  const auto refused = Watch(server_.version());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kExpired);
}

TEST_F(WatchTest, FromACompactedVersionIsAnErrorEvent) {
  const uint64_t start = server_.version();
  Put("a");
  server_.Compact();
  EXPECT_TRUE(Watch(start));
  EXPECT_THAT(Seen(), ElementsAre("error"));
  EXPECT_TRUE(Watch(server_.version()));
}

TEST_F(WatchTest, AfterARewindIsSilentUntilItsVersionIsReachedAgain) {
  const uint64_t backup = server_.version();
  Put("a");
  const uint64_t seen = server_.version();
  server_.Rewind(backup);
  Put("b");
  EXPECT_TRUE(Watch(seen));
  EXPECT_THAT(Seen(), IsEmpty());
  Put("c");
  EXPECT_TRUE(Watch(seen));
  EXPECT_THAT(Seen(), ElementsAre("c"));
}

TEST_F(WatchTest, SendsABookmarkOncePerRequestForOne) {
  server_.SendBookmarks();
  EXPECT_TRUE(Watch(server_.version()));
  EXPECT_TRUE(Watch(server_.version()));
  EXPECT_THAT(Seen(), ElementsAre("bookmark"));
}

TEST_F(WatchTest, WithoutTheFeatureAWatchListIsRefused) {
  server_.SupportWatchList(false);
  kube::WatchOptions options;
  options.send_initial_events = true;
  const auto refused = client_.Watch(kube::kAgents, options, [](WatchEvent&&) { return true; }, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
}

TEST_F(WatchTest, HeldWithOneThreadTimesOutOnTheClock) {
  server_.HoldWatches(true);
  const MonoTime start = clock_.Mono();
  const auto silent = Watch(server_.version());
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(clock_.Mono() - start, kube::WatchOptions().silence_timeout);
}

TEST_F(WatchTest, HeldDeliversAsThingsHappenUntilItIsClosed) {
  clock_.AutoAdvance(false);
  server_.HoldWatches(true);
  std::atomic<bool> by_server{false};
  {
    std::jthread watcher([&, version = server_.version()] {
      const auto ended = Watch(version);
      by_server = ended && *ended;
    });
    ASSERT_TRUE(Soon([&] { return server_.held_watches() == 1; }));
    Put("a");
    ASSERT_TRUE(Soon([&] { return Seen().size() == 1; }));
    server_.SendBookmarks();
    ASSERT_TRUE(Soon([&] { return Seen().size() == 2; }));
    server_.CloseWatches();
  }
  EXPECT_TRUE(by_server);
  EXPECT_THAT(Seen(), ElementsAre("a", "bookmark"));
}

TEST_F(WatchTest, HeldEndsWithItsTimeoutSeconds) {
  clock_.AutoAdvance(false);
  server_.HoldWatches(true);
  kube::WatchOptions options;
  options.resource_version = std::to_string(server_.version());
  options.server_timeout = 60s;
  std::atomic<bool> by_server{false};
  {
    std::jthread watcher([&] {
      const auto ended =
          client_.Watch(kube::kAgents, options, [](WatchEvent&&) { return true; }, {});
      by_server = ended && *ended;
    });
    ASSERT_TRUE(Soon([&] { return server_.held_watches() == 1; }));
    clock_.Advance(60s);
  }
  EXPECT_TRUE(by_server);
}

TEST_F(WatchTest, HeldEndsWhenItsCallerStopsOrTheServerDoes) {
  clock_.AutoAdvance(false);
  server_.HoldWatches(true);
  Guarded<std::vector<ErrorKind>> errors;
  const auto watch = [&](std::stop_token stop) {
    const auto ended = Watch(server_.version(), std::move(stop));
    if (!ended) errors.Lock()->push_back(ended.error().kind);
  };
  {
    std::jthread watcher(watch);
    ASSERT_TRUE(Soon([&] { return server_.held_watches() == 1; }));
  }
  {
    std::jthread watcher(watch);
    ASSERT_TRUE(Soon([&] { return server_.held_watches() == 1; }));
    server_.StopAnswering();
    watcher.join();
  }
  EXPECT_THAT(*errors.Lock(), ElementsAre(ErrorKind::kCancelled, ErrorKind::kUnavailable));
}

TEST_F(WatchTest, ManyWritersAndWatchersAgreeOnTheOrder) {
  clock_.AutoAdvance(false);
  server_.HoldWatches(true);
  const uint64_t start = server_.version();
  {
    std::vector<std::jthread> watchers;
    for (int i = 0; i < 3; ++i)
      watchers.emplace_back([&](std::stop_token stop) { (void)Watch(start, std::move(stop)); });
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&, i] {
        for (int k = 0; k < 10; ++k) Put("w" + std::to_string(i) + "-" + std::to_string(k));
      });
    }
    writers.clear();
    EXPECT_TRUE(Soon([&] { return Seen().size() == 120; }));
  }
  EXPECT_EQ(Seen().size(), 120U);
}

}  // namespace
}  // namespace roster::fake
