// LIST: pages, versions, label selectors.
#include <gmock/gmock.h>

#include "conformance/api_conformance.h"

namespace roster::conformance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::stop_token kNever;

class ListConformance : public ApiConformance {
 protected:
  json Labelled(const std::string& name, const json& labels) {
    json agent = Agent(name);
    agent["metadata"]["labels"] = labels;
    return Create(kube::kAgents, agent);
  }
  std::vector<std::string> Selected(const std::string& selector) {
    kube::ListOptions options;
    options.label_selector = selector;
    return NamesOf(kube::kAgents, options);
  }
  struct Page {
    std::vector<std::string> names;
    kube::ListPage page;
  };
  Page List(kube::ListOptions options) {
    options.ns = ns();
    Page result;
    auto page = client().List(
        kube::kAgents, options,
        [&](json&& item) { result.names.push_back(item["metadata"]["name"]); }, kNever);
    EXPECT_TRUE(page) << page.error().message;
    if (page) result.page = *page;
    return result;
  }
};

TEST_F(ListConformance, PagesComeInTheOrderOfNamesAndShowOneState) {
  for (const char* name : {"c", "a", "e", "b", "d"}) Create(kube::kAgents, Agent(name));
  kube::ListOptions options;
  options.limit = 2;
  const Page first = List(options);
  EXPECT_THAT(first.names, ElementsAre("a", "b"));
  ASSERT_FALSE(first.page.continue_token.empty());

  // What happens between the pages is on none of them.
  Create(kube::kAgents, Agent("bb"));
  Delete(kube::kAgents, "d");
  options.continue_token = first.page.continue_token;
  const Page second = List(options);
  EXPECT_THAT(second.names, ElementsAre("c", "d"));
  EXPECT_EQ(second.page.resource_version, first.page.resource_version);
  options.continue_token = second.page.continue_token;
  const Page third = List(options);
  EXPECT_THAT(third.names, ElementsAre("e"));
  EXPECT_EQ(third.page.resource_version, first.page.resource_version);
  EXPECT_TRUE(third.page.continue_token.empty());
  EXPECT_GT(List({}).page.resource_version, first.page.resource_version);
}

TEST_F(ListConformance, AnEmptyListHasAVersion) {
  const Page page = List({});
  EXPECT_THAT(page.names, IsEmpty());
  EXPECT_GT(page.page.resource_version, 0U);
}

TEST_F(ListConformance, ItemsOfBuiltInTypesComeWithoutTheirKind) {
  Create(kube::kAgents, Agent("a"));
  Create(kube::kServices, Service("s"));
  kube::ListOptions options;
  options.ns = ns();
  std::vector<std::string> agent_keys;
  std::vector<std::string> service_keys;
  ASSERT_TRUE(client().List(
      kube::kAgents, options, [&](json&& item) { agent_keys = KeysOf(item); }, kNever));
  ASSERT_TRUE(client().List(
      kube::kServices, options, [&](json&& item) { service_keys = KeysOf(item); }, kNever));
  EXPECT_THAT(agent_keys, ElementsAre("apiVersion", "kind", "metadata", "spec", "status"));
  EXPECT_THAT(service_keys, ElementsAre("metadata", "spec", "status"));
}

TEST_F(ListConformance, ABrokenContinueTokenIsABadRequest) {
  kube::ListOptions options;
  options.ns = ns();
  options.limit = 1;
  options.continue_token = "abcd";
  const auto refused = client().List(kube::kAgents, options, [](json&&) {}, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("continue"));
}

TEST_F(ListConformance, VersionZeroKnowsNoPages) {
  for (const char* name : {"a", "b", "c"}) Create(kube::kAgents, Agent(name));
  kube::ListOptions options;
  options.limit = 1;
  options.resource_version = "0";
  // Answered from the server's memory, which may lag behind.
  ASSERT_TRUE(Eventually([&] { return List(options).names.size() == 3; }));
  EXPECT_TRUE(List(options).page.continue_token.empty());
}

TEST_F(ListConformance, NotOlderThanTheCurrentVersionIsAnswered) {
  const json created = Create(kube::kAgents, Agent("a"));
  kube::ListOptions options;
  options.limit = 1;
  options.resource_version = created["metadata"]["resourceVersion"];
  options.resource_version_match = "NotOlderThan";
  const Page page = List(options);
  EXPECT_THAT(page.names, ElementsAre("a"));
  EXPECT_GE(page.page.resource_version, Version(created));
}

TEST_F(ListConformance, AVersionTheServerHasNotSeenIsRefused) {
  Create(kube::kAgents, Agent("a"));
  kube::ListOptions options;
  options.ns = ns();
  options.limit = 1;
  options.resource_version = std::to_string(VersionOf(kube::kAgents) + 1'000'000);
  options.resource_version_match = "NotOlderThan";
  const auto refused = client().List(kube::kAgents, options, [](json&&) {}, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kFutureVersion);
  EXPECT_THAT(refused.error().message,
              HasSubstr("Timeout: Too large resource version: " + options.resource_version));

  const json status =
      BodyOf(Raw("GET", kube::kAgents.Path(ns()) +
                            "?limit=1&resourceVersionMatch=NotOlderThan&resourceVersion=" +
                            options.resource_version));
  EXPECT_EQ(status["code"], 504);
  EXPECT_EQ(status["reason"], "Timeout");
  EXPECT_EQ(status["details"]["retryAfterSeconds"], 1);
  EXPECT_EQ(status["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
}

TEST_F(ListConformance, AMatchWithoutAVersionAndAVersionThatIsNoneAreRefused) {
  json status = BodyOf(Raw("GET", kube::kAgents.Path(ns()) + "?resourceVersionMatch=NotOlderThan"));
  EXPECT_EQ(status["code"], 422);
  EXPECT_THAT(CauseFields(status), ElementsAre("resourceVersionMatch"));
  status = BodyOf(Raw("GET", kube::kAgents.Path(ns()) + "?resourceVersion=abc"));
  EXPECT_EQ(status["code"], 400);
}

TEST_F(ListConformance, LabelSelectorsSelect) {
  Labelled("a", {{"app", "x"}, {"tier", "one"}});
  Labelled("b", {{"app", "y"}, {"tier", "one"}});
  Labelled("c", {{"app", "z"}});
  Labelled("d", json::object());
  EXPECT_THAT(Selected("app=x"), ElementsAre("a"));
  EXPECT_THAT(Selected("app==y"), ElementsAre("b"));
  EXPECT_THAT(Selected("app=x,tier=one"), ElementsAre("a"));
  EXPECT_THAT(Selected("app=x,tier=two"), IsEmpty());
  EXPECT_THAT(Selected("app!=x"), ElementsAre("b", "c", "d"));
  EXPECT_THAT(Selected("app in (x, z)"), ElementsAre("a", "c"));
  EXPECT_THAT(Selected("app notin (x,y)"), ElementsAre("c", "d"));
  EXPECT_THAT(Selected("tier"), ElementsAre("a", "b"));
  EXPECT_THAT(Selected("!tier"), ElementsAre("c", "d"));
}

TEST_F(ListConformance, ASelectorThatIsNoneIsABadRequest) {
  kube::ListOptions options;
  options.ns = ns();
  options.label_selector = "a===b";
  const auto refused = client().List(kube::kAgents, options, [](json&&) {}, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message,
              HasSubstr("unable to parse requirement: found '=', expected: identifier"));
}

}  // namespace
}  // namespace roster::conformance
