#include "app/probes.h"

#include <gtest/gtest.h>

namespace roster::app {
namespace {

class ProbesTest : public ::testing::Test {
 protected:
  http::ServerResponse Get(const std::string& path, const std::string& query = "") {
    return probes_.Handle({"GET", path, query});
  }

  std::vector<Check> checks_{{"ping", std::nullopt},
                             {"startup", std::nullopt},
                             {"cache-agents", std::nullopt},
                             {"watch-agents", std::nullopt, false}};
  const Probes probes_{
      {[this] { return checks_; }, [] { return std::string("metric 1\n"); }, "text/metrics"}};
};

TEST_F(ProbesTest, HealthzIsOkWhileTheProcessServes) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/healthz").body, "ok");
  EXPECT_EQ(Get("/healthz", "verbose").body, "[+]ping ok\nhealthz check passed\n");
  EXPECT_EQ(Get("/healthz/ping").body, "ok");
}

TEST_F(ProbesTest, HealthzStaysOkWhenReadyzFails) {
  checks_[1].failure = "waiting";
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(ProbesTest, ReadyzIsShortWhenAllIsWell) {
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "ok");
  EXPECT_EQ(Get("/readyz").content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(Get("/readyz/").body, "ok");
}

TEST_F(ProbesTest, VerboseListsEveryCheck) {
  const std::string all =
      "[+]ping ok\n[+]startup ok\n[+]cache-agents ok\n[+]watch-agents ok\nreadyz check passed\n";
  for (const char* query : {"verbose", "verbose=", "verbose=true", "a=b&verbose", "verbose&x"}) {
    EXPECT_EQ(Get("/readyz", query).body, all) << query;
  }
  for (const char* query : {"", "verbos", "verbosely", "x=verbose", "&", "&&"}) {
    EXPECT_EQ(Get("/readyz", query).body, "ok") << query;
  }
}

TEST_F(ProbesTest, AFailedCheckMakesReadyzFailAndSaysWhy) {
  checks_[2].failure = "not listed yet";
  const auto response = Get("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(
      response.body,
      "[+]ping ok\n[+]startup ok\n[-]cache-agents failed: not listed yet\n[+]watch-agents ok\n"
      "readyz check failed\n");
}

TEST_F(ProbesTest, ACheckThatDoesNotDecideIsShownAndChangesNothing) {
  checks_[3].failure = "connection\nrefused";
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "ok");
  const auto verbose = Get("/readyz", "verbose");
  EXPECT_EQ(verbose.status, 200);
  EXPECT_EQ(
      verbose.body,
      "[+]ping ok\n[+]startup ok\n[+]cache-agents ok\n[-]watch-agents failed: connection refused\n"
      "readyz check passed\n");
}

TEST_F(ProbesTest, EachCheckHasItsOwnPath) {
  checks_[2].failure = "not listed yet";
  checks_[3].failure = "broken";
  EXPECT_EQ(Get("/readyz/ping").status, 200);
  EXPECT_EQ(Get("/readyz/ping").body, "ok");
  EXPECT_EQ(Get("/readyz/cache-agents").status, 503);
  EXPECT_EQ(Get("/readyz/cache-agents").body, "[-]cache-agents failed: not listed yet\n");
  EXPECT_EQ(Get("/readyz/watch-agents").status, 503);
}

TEST_F(ProbesTest, ChecksOfOneNamespaceHaveAPathToo) {
  checks_.push_back({"cache-pods/team-a", std::nullopt});
  EXPECT_EQ(Get("/readyz/cache-pods/team-a").body, "ok");
}

TEST_F(ProbesTest, ServesMetrics) {
  EXPECT_EQ(Get("/metrics").status, 200);
  EXPECT_EQ(Get("/metrics").content_type, "text/metrics");
  EXPECT_EQ(Get("/metrics").body, "metric 1\n");
}

TEST_F(ProbesTest, WhoGetsLostIsToldWhatThereIs) {
  for (const char* path : {"/", "/metric", "/readyz/nope", "/healthz/nope", "", "/readyzz"}) {
    const auto response = Get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(
        response.body,
        "404 not found. There "
        "are:\n/healthz\n/healthz?verbose\n/healthz/ping\n/readyz\n/readyz?verbose\n"
        "/readyz/ping\n/readyz/startup\n/readyz/cache-agents\n/readyz/watch-agents\n/metrics\n")
        << path;
  }
}

}  // namespace
}  // namespace roster::app
