#include "kube/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace roster::kube {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Answers requests from a script and keeps what it was asked.
class ScriptedTransport final : public Transport {
 public:
  Result<Response> Send(const Request& request, std::stop_token /*stop*/) override {
    requests.push_back(request);
    if (answers.empty()) return Error{ErrorKind::kUnavailable, "the script has ended"};
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  Result<StreamResult> Stream(const Request& request, const StreamSink& sink,
                              std::stop_token /*stop*/) override {
    requests.push_back(request);
    if (refusal) return StreamResult{refusal, {}};
    for (const std::string& piece : pieces) {
      if (!sink(piece)) return StreamResult{std::nullopt, {.by_server = false}};
    }
    if (stream_error) return *stream_error;
    return StreamResult{std::nullopt, {.by_server = true}};
  }

  void Answer(int status, const json& body) {
    answers.emplace_back(Response{status, body.dump(), {}});
  }

  std::vector<Request> requests;
  std::deque<Result<Response>> answers;
  std::vector<std::string> pieces;
  std::optional<Response> refusal;
  std::optional<Error> stream_error;
};

class ClientTest : public testing::Test {
 protected:
  const Request& last() const { return transport_.requests.back(); }
  std::string LastLine() const { return last().method + " " + last().target; }
  json LastBody() const { return json::parse(last().body); }

  ScriptedTransport transport_;
  std::vector<std::pair<std::string, int>> observed_;
  Client client_{transport_, [this](const RequestObservation& o) {
                   EXPECT_GE(o.duration.count(), 0);
                   observed_.emplace_back(o.method, o.code);
                 }};
  const api::ObjectKey key_{"ns", "a"};
};

TEST_F(ClientTest, GetReturnsTheObject) {
  transport_.Answer(200, {{"kind", "Agent"}});
  const auto object = client_.Get(kAgents, key_, {});
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)["kind"], "Agent");
  EXPECT_EQ(LastLine(), "GET /apis/agentroster.dev/v1alpha1/namespaces/ns/agents/a");
  EXPECT_EQ(last().body, "");
  EXPECT_EQ(last().timeout, std::chrono::seconds(10));
  EXPECT_THAT(observed_, ElementsAre(std::pair("GET", 200)));
}

TEST_F(ClientTest, WritesSayWhoOwnsTheirFields) {
  const json object = {{"metadata", {{"name", "a"}}}};
  const std::string path = "/apis/agentroster.dev/v1alpha1/namespaces/ns/agents";
  for (int i = 0; i < 5; ++i) transport_.Answer(201, object);

  ASSERT_TRUE(client_.Create(kAgents, "ns", object, {}));
  EXPECT_EQ(LastLine(), "POST " + path + "?fieldManager=roster");
  EXPECT_EQ(last().content_type, "application/json");
  EXPECT_EQ(LastBody(), object);

  ASSERT_TRUE(client_.Apply(kAgents, key_, object, {}));
  EXPECT_EQ(LastLine(), "PATCH " + path + "/a?fieldManager=roster&force=true");
  EXPECT_EQ(last().content_type, "application/apply-patch+yaml");

  ASSERT_TRUE(client_.MergePatch(kAgents, key_, "status", {{"status", {{"x", nullptr}}}}, {}));
  EXPECT_EQ(LastLine(), "PATCH " + path + "/a/status?fieldManager=roster");
  EXPECT_EQ(last().content_type, "application/merge-patch+json");
  EXPECT_EQ(last().body, R"({"status":{"x":null}})");

  ASSERT_TRUE(client_.JsonPatch(kAgents, key_, json::array({{{"op", "test"}}}), {}));
  EXPECT_EQ(LastLine(), "PATCH " + path + "/a?fieldManager=roster");
  EXPECT_EQ(last().content_type, "application/json-patch+json");

  ASSERT_TRUE(client_.Replace(kAgents, key_, object, {}));
  EXPECT_EQ(LastLine(), "PUT " + path + "/a?fieldManager=roster");
  EXPECT_EQ(last().content_type, "application/json");

  EXPECT_THAT(observed_,
              ElementsAre(std::pair("POST", 201), std::pair("APPLY", 201), std::pair("PATCH", 201),
                          std::pair("PATCH", 201), std::pair("PUT", 201)));
}

TEST_F(ClientTest, DeleteSendsItsPreconditionsAndOnlyThose) {
  for (int i = 0; i < 2; ++i) transport_.Answer(200, {{"kind", "Status"}, {"status", "Success"}});
  ASSERT_TRUE(client_.Delete(kDeployments, key_, {}, {}));
  EXPECT_EQ(LastLine(), "DELETE /apis/apps/v1/namespaces/ns/deployments/a");
  EXPECT_EQ(
      LastBody(),
      (json{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}}));
  ASSERT_TRUE(client_.Delete(kDeployments, key_, {"u", "7", "Foreground"}, {}));
  EXPECT_EQ(LastBody(), (json{{"apiVersion", "v1"},
                              {"kind", "DeleteOptions"},
                              {"propagationPolicy", "Foreground"},
                              {"preconditions", {{"uid", "u"}, {"resourceVersion", "7"}}}}));
}

TEST_F(ClientTest, TheLeaseHasALaneOfItsOwnAndLessTime) {
  transport_.Answer(200, json::object());
  ASSERT_TRUE(client_.Get(kLeases, key_, {}));
  EXPECT_EQ(last().lane, Request::Lane::kLease);
  EXPECT_EQ(last().timeout, std::chrono::seconds(5));
  transport_.Answer(200, json::object());
  ASSERT_TRUE(client_.Get(kPods, key_, {}));
  EXPECT_EQ(last().lane, Request::Lane::kDefault);
}

TEST_F(ClientTest, ARefusalBecomesAnError) {
  transport_.Answer(409, {{"kind", "Status"},
                          {"reason", "AlreadyExists"},
                          {"message", "agents \"a\" already exists"}});
  const auto created = client_.Create(kAgents, "ns", json::object(), {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(created.error().message, "agents \"a\" already exists");
  EXPECT_THAT(observed_, ElementsAre(std::pair("POST", 409)));
}

TEST_F(ClientTest, NoAnswerIsObservedAsCode0AndPassedOn) {
  transport_.answers.emplace_back(Error{ErrorKind::kTimeout, "slow"});
  const auto got = client_.Get(kAgents, key_, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(got.error().message, "slow");
  EXPECT_THAT(observed_, ElementsAre(std::pair("GET", 0)));
  EXPECT_EQ(transport_.requests.size(), 1U) << "trying again is the caller's business";
}

TEST_F(ClientTest, AnAnswerThatIsNoObjectIsMalformed) {
  for (const char* body : {"", "<html>", "[]", "null", "{\"a\":"}) {
    transport_.answers.emplace_back(Response{200, body, {}});
    const auto got = client_.Get(kAgents, key_, {});
    ASSERT_FALSE(got) << body;
    EXPECT_EQ(got.error().kind, ErrorKind::kMalformed) << body;
    EXPECT_THAT(got.error().message, HasSubstr("agents/a")) << body;
  }
}

TEST_F(ClientTest, ARedirectIsNotTakenForAnObject) {
  transport_.answers.emplace_back(Response{302, "{}", {}});
  EXPECT_EQ(client_.Get(kAgents, key_, {}).error().kind, ErrorKind::kMalformed);
}

TEST_F(ClientTest, ServerVersionAsksForTheVersion) {
  transport_.Answer(200, {{"gitVersion", "v1.35.4"}});
  EXPECT_EQ(*client_.ServerVersion({}), "v1.35.4");
  EXPECT_EQ(LastLine(), "GET /version");
  transport_.Answer(200, {{"gitVersion", 1}});
  EXPECT_EQ(client_.ServerVersion({}).error().kind, ErrorKind::kMalformed);
}

// ---- LIST

TEST_F(ClientTest, ListSendsOnlyTheOptionsThatAreGiven) {
  const json page = {{"metadata", {{"resourceVersion", "5"}}}, {"items", json::array()}};
  for (int i = 0; i < 2; ++i) transport_.Answer(200, page);
  ASSERT_TRUE(client_.List(kPods, {}, [](json&&) {}, {}));
  EXPECT_EQ(LastLine(), "GET /api/v1/pods");
  EXPECT_EQ(last().timeout, std::chrono::seconds(60));

  ListOptions options;
  options.ns = "ns";
  options.label_selector = "a=b,c in (d)";
  options.resource_version = "0";
  options.resource_version_match = "NotOlderThan";
  options.continue_token = "x/y=";
  options.limit = 500;
  options.timeout = std::chrono::seconds(7);
  ASSERT_TRUE(client_.List(kPods, options, [](json&&) {}, {}));
  EXPECT_EQ(
      LastLine(),
      "GET /api/v1/namespaces/ns/pods?labelSelector=a%3Db%2Cc%20in%20%28d%29&resourceVersion=0"
      "&resourceVersionMatch=NotOlderThan&continue=x%2Fy%3D&limit=500");
  EXPECT_EQ(last().timeout, std::chrono::seconds(7));
  EXPECT_THAT(observed_, ElementsAre(std::pair("LIST", 200), std::pair("LIST", 200)));
}

TEST_F(ClientTest, ListHandsOverItemsAndSaysWhereToGoOn) {
  transport_.Answer(
      200, {{"metadata", {{"resourceVersion", "18446744073709551615"}, {"continue", "next"}}},
            {"items", {{{"n", 1}}, {{"n", 2}}}}});
  std::vector<int> seen;
  const auto page = client_.List(kPods, {}, [&](json&& item) { seen.push_back(item["n"]); }, {});
  ASSERT_TRUE(page);
  EXPECT_THAT(seen, ElementsAre(1, 2));
  EXPECT_EQ(page->resource_version, UINT64_MAX);
  EXPECT_EQ(page->continue_token, "next");
}

TEST_F(ClientTest, AListWithoutAVersionIsMalformed) {
  const json bad[] = {json::object(),
                      {{"metadata", json::object()}},
                      {{"metadata", 5}},
                      {{"metadata", {{"resourceVersion", ""}}}},
                      {{"metadata", {{"resourceVersion", "x1"}}}},
                      {{"metadata", {{"resourceVersion", "1x"}}}},
                      {{"metadata", {{"resourceVersion", 1}}}}};
  for (const json& body : bad) {
    transport_.Answer(200, body);
    const auto page = client_.List(kPods, {}, [](json&&) {}, {});
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().kind, ErrorKind::kMalformed) << body;
    EXPECT_THAT(page.error().message, HasSubstr("resourceVersion")) << body;
  }
}

TEST_F(ClientTest, AnExpiredContinueTokenIsExpired) {
  transport_.Answer(410,
                    {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}, {"message", "m"}});
  EXPECT_EQ(client_.List(kPods, {}, [](json&&) { FAIL(); }, {}).error().kind, ErrorKind::kExpired);
}

// ---- WATCH

std::string Line(std::string_view type, const json& object) {
  return json{{"type", type}, {"object", object}}.dump() + "\n";
}

TEST_F(ClientTest, WatchAlwaysAsksForBookmarks) {
  WatchOptions options;
  options.ns = "ns";
  options.resource_version = "17";
  options.label_selector = "x=y";
  options.server_timeout = std::chrono::seconds(321);
  options.silence_timeout = std::chrono::seconds(9);
  const auto ended = client_.Watch(kAgents, options, [](WatchEvent&&) { return true; }, {});
  ASSERT_TRUE(ended);
  EXPECT_TRUE(*ended);
  EXPECT_EQ(
      LastLine(),
      "GET /apis/agentroster.dev/v1alpha1/namespaces/ns/agents?watch=true&allowWatchBookmarks=true"
      "&timeoutSeconds=321&labelSelector=x%3Dy&resourceVersion=17");
  EXPECT_EQ(last().timeout, std::chrono::seconds(9));
  EXPECT_THAT(observed_, ElementsAre(std::pair("WATCH", 200)));
}

TEST_F(ClientTest, AWatchListAsksForTheInitialState) {
  WatchOptions options;
  options.send_initial_events = true;
  ASSERT_TRUE(client_.Watch(kAgents, options, [](WatchEvent&&) { return true; }, {}));
  EXPECT_EQ(
      LastLine(),
      "GET "
      "/apis/agentroster.dev/v1alpha1/agents?watch=true&allowWatchBookmarks=true&timeoutSeconds=300"
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
}

TEST_F(ClientTest, EventsArriveTypedHoweverTheyAreCutIntoPieces) {
  const std::string text = Line("ADDED", {{"n", 1}}) + Line("MODIFIED", {{"n", 2}}) +
                           Line("DELETED", {{"n", 3}}) + Line("BOOKMARK", {{"n", 4}}) +
                           Line("ERROR", {{"code", 410}});
  for (const size_t size : {size_t{1}, size_t{7}, text.size()}) {
    transport_.pieces.clear();
    for (size_t i = 0; i < text.size(); i += size)
      transport_.pieces.push_back(text.substr(i, size));
    std::vector<WatchEventType> types;
    std::vector<json> objects;
    const auto ended = client_.Watch(kAgents, {},
                                     [&](WatchEvent&& event) {
                                       types.push_back(event.type);
                                       objects.push_back(std::move(event.object));
                                       return true;
                                     },
                                     {});
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_TRUE(*ended);
    EXPECT_THAT(types, ElementsAre(WatchEventType::kAdded, WatchEventType::kModified,
                                   WatchEventType::kDeleted, WatchEventType::kBookmark,
                                   WatchEventType::kError));
    EXPECT_EQ(json(objects), json::parse(R"([{"n":1},{"n":2},{"n":3},{"n":4},{"code":410}])"));
  }
}

TEST_F(ClientTest, TheSinkCanEndAWatch) {
  transport_.pieces = {Line("ADDED", {{"n", 1}}) + Line("ADDED", {{"n", 2}})};
  int seen = 0;
  const auto ended = client_.Watch(kAgents, {}, [&](WatchEvent&&) { return ++seen, false; }, {});
  ASSERT_TRUE(ended);
  EXPECT_FALSE(*ended);
  EXPECT_EQ(seen, 1);
}

TEST_F(ClientTest, ALineThatIsNoEventEndsTheWatchAsMalformed) {
  for (const char* line :
       {"<html>\n", "{}\n", "[1]\n", "{\"type\":\"ADDED\"}\n",
        "{\"type\":\"ADDED\",\"object\":1}\n", "{\"type\":\"STRANGE\",\"object\":{}}\n",
        "{\"type\":1,\"object\":{}}\n"}) {
    transport_.pieces = {Line("ADDED", {{"n", 1}}), line, Line("ADDED", {{"n", 2}})};
    int seen = 0;
    const auto ended = client_.Watch(kAgents, {}, [&](WatchEvent&&) { return ++seen > 0; }, {});
    ASSERT_FALSE(ended) << line;
    EXPECT_EQ(ended.error().kind, ErrorKind::kMalformed) << line;
    EXPECT_EQ(seen, 1) << line;
  }
}

TEST_F(ClientTest, AStreamThatEndsWithinAnEventBrokeOff) {
  transport_.pieces = {Line("ADDED", {{"n", 1}}), "{\"type\":\"ADD"};
  const auto ended = client_.Watch(kAgents, {}, [](WatchEvent&&) { return true; }, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kUnavailable);
}

TEST_F(ClientTest, ARefusedWatchIsAnError) {
  transport_.refusal =
      Response{403, R"({"kind":"Status","reason":"Forbidden","message":"no"})", {}};
  const auto ended = client_.Watch(kAgents, {}, [](WatchEvent&&) { return true; }, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kForbidden);
  EXPECT_EQ(ended.error().message, "no");
  EXPECT_THAT(observed_, ElementsAre(std::pair("WATCH", 403)));
}

TEST_F(ClientTest, SilenceIsPassedOnAsTimeout) {
  transport_.pieces = {Line("ADDED", {{"n", 1}})};
  transport_.stream_error = Error{ErrorKind::kTimeout, "silent"};
  EXPECT_EQ(client_.Watch(kAgents, {}, [](WatchEvent&&) { return true; }, {}).error().kind,
            ErrorKind::kTimeout);
  EXPECT_THAT(observed_, ElementsAre(std::pair("WATCH", 0)));
}

}  // namespace
}  // namespace roster::kube
