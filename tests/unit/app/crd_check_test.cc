#include "app/crd_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace roster::app {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json ToJson(const YAML::Node& node) {
  if (node.IsMap()) {
    json object = json::object();
    for (const auto& member : node) object[member.first.as<std::string>()] = ToJson(member.second);
    return object;
  }
  if (node.IsSequence()) {
    json array = json::array();
    for (const auto& element : node) array.push_back(ToJson(element));
    return array;
  }
  const std::string text = node.as<std::string>("");
  if (text == "true" || text == "false") return text == "true";
  return text;
}

/// crds/ as the API server gives it once it serves it.
json CrdOfThisTree() {
  json crd =
      ToJson(YAML::LoadFile(std::string(ROSTER_SOURCE_DIR) + "/crds/agents.agentroster.dev.yaml"));
  crd["status"]["conditions"] = {{{"type", "NamesAccepted"}, {"status", "True"}},
                                 {{"type", "Established"}, {"status", "True"}}};
  return crd;
}

json& Properties(json& crd) {
  return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
}

TEST(CrdCheckTest, TheCrdOfThisTreeIsGood) {
  const Status checked = CheckCrdObject(CrdOfThisTree());
  EXPECT_TRUE(checked.ok()) << checked.error().message;
}

TEST(CrdCheckTest, NeedsEveryFieldOfSpecThatTheCrdHas) {
  json crd = CrdOfThisTree();
  std::set<std::string> in_crd;
  for (const auto& [name, schema] : Properties(crd)["spec"]["properties"].items())
    in_crd.insert("spec." + name);
  std::set<std::string> needed;
  for (const std::string& field : NeededFields()) {
    if (field.starts_with("spec.")) needed.insert(field);
  }
  EXPECT_EQ(needed, in_crd);
}

TEST(CrdCheckTest, NeedsEveryFieldOfStatusThatTheCrdHas) {
  json crd = CrdOfThisTree();
  std::set<std::string> in_crd;
  for (const auto& [name, schema] : Properties(crd)["status"]["properties"].items())
    in_crd.insert("status." + name);
  std::set<std::string> needed;
  for (const std::string& field : NeededFields()) {
    if (field.starts_with("status.") && std::count(field.begin(), field.end(), '.') == 1)
      needed.insert(field);
  }
  EXPECT_EQ(needed, in_crd);
}

TEST(CrdCheckTest, IsTooOldWithoutAnyOfTheNeededFields) {
  for (const std::string& field : NeededFields()) {
    json crd = CrdOfThisTree();
    json* schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    std::string path = field;
    for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.')) {
      schema = &(*schema)["properties"][path.substr(0, dot)];
      if (schema->contains("items")) schema = &(*schema)["items"];
      path.erase(0, dot + 1);
    }
    ASSERT_EQ((*schema)["properties"].erase(path), 1U) << field;
    const Status checked = CheckCrdObject(crd);
    ASSERT_FALSE(checked.ok()) << field;
    EXPECT_EQ(checked.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(checked.error().message,
                HasSubstr("too old for this operator: it has no field " + field));
  }
}

TEST(CrdCheckTest, AFreeFormObjectKeepsEverything) {
  json crd = CrdOfThisTree();
  Properties(crd)["status"] = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  EXPECT_TRUE(CheckCrdObject(crd).ok());
}

TEST(CrdCheckTest, ANewerCrdWithMoreFieldsAndVersionsIsGood) {
  json crd = CrdOfThisTree();
  Properties(crd)["spec"]["properties"]["tasks"] = {{"type", "object"}};
  crd["spec"]["versions"].insert(crd["spec"]["versions"].begin(),
                                 {{"name", "v1"}, {"served", true}});
  EXPECT_TRUE(CheckCrdObject(crd).ok());
}

TEST(CrdCheckTest, IsTooOldWithoutTheServedVersionOrItsStatusSubresource) {
  json crd = CrdOfThisTree();
  crd["spec"]["versions"][0]["served"] = false;
  EXPECT_THAT(CheckCrdObject(crd).error().message, HasSubstr("no served version v1alpha1"));
  crd = CrdOfThisTree();
  crd["spec"]["versions"][0]["name"] = "v1alpha0";
  EXPECT_THAT(CheckCrdObject(crd).error().message, HasSubstr("no served version v1alpha1"));
  crd = CrdOfThisTree();
  crd["spec"]["versions"][0]["subresources"].erase("status");
  EXPECT_THAT(CheckCrdObject(crd).error().message, HasSubstr("no subresource status"));
}

TEST(CrdCheckTest, IsNotServedYetUntilItIsEstablished) {
  json crd = CrdOfThisTree();
  crd["status"]["conditions"][1]["status"] = "False";
  EXPECT_EQ(CheckCrdObject(crd).error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(CheckCrdObject(crd).error().retryable());
  crd.erase("status");
  EXPECT_EQ(CheckCrdObject(crd).error().kind, ErrorKind::kUnavailable);
}

TEST(CrdCheckTest, SurvivesWhatIsNoCrd) {
  for (
      const char* text :
      {"{}", "[]", "1", "null", R"({"spec":1})", R"({"spec":{"versions":{}}})",
       R"({"spec":{"versions":[1,null,{"name":1,"served":"true"}]}})",
       R"({"spec":{"versions":[{"name":"v1alpha1","served":true,"subresources":[],"schema":3}]}})"}) {
    EXPECT_EQ(CheckCrdObject(json::parse(text)).error().kind, ErrorKind::kInvalid) << text;
  }
}

/// Answers by path, and remembers what was asked.
class ScriptedTransport final : public kube::Transport {
 public:
  Result<kube::Response> Send(const kube::Request& request, std::stop_token) override {
    asked.push_back(request.method + " " + request.target);
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (!answers.contains(path)) return Error{ErrorKind::kUnavailable, "connection refused"};
    return answers.at(path);
  }
  Result<StreamResult> Stream(const kube::Request&, const kube::StreamSink&,
                              std::stop_token) override {
    return Error{ErrorKind::kUnavailable, "no streams here"};
  }

  std::map<std::string, kube::Response> answers;
  std::vector<std::string> asked;
};

kube::Response Refusal(int code, const char* reason) {
  return {code,
          json{{"kind", "Status"},
               {"apiVersion", "v1"},
               {"status", "Failure"},
               {"message", reason},
               {"reason", reason},
               {"code", code}}
              .dump(),
          std::nullopt};
}

class CheckCrdTest : public ::testing::Test {
 protected:
  static constexpr const char* kCrdPath =
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/agents.agentroster.dev";
  static constexpr const char* kAllAgents = "/apis/agentroster.dev/v1alpha1/agents";
  static constexpr const char* kTeamAgents =
      "/apis/agentroster.dev/v1alpha1/namespaces/team-a/agents";

  Result<CrdCheck> Check(const std::vector<std::string>& namespaces = {}) {
    kube::Client client(transport_);
    return CheckCrd(client, namespaces, {});
  }
  static kube::Response NoAgents() {
    return {
        200,
        R"({"apiVersion":"agentroster.dev/v1alpha1","kind":"AgentList","metadata":{"resourceVersion":"1"},"items":[]})",
        std::nullopt};
  }

  ScriptedTransport transport_;
};

TEST_F(CheckCrdTest, ReadsTheCrd) {
  transport_.answers[kCrdPath] = {200, CrdOfThisTree().dump(), std::nullopt};
  const auto checked = Check();
  ASSERT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_EQ(*checked, CrdCheck::kGood);
  EXPECT_EQ(transport_.asked, std::vector<std::string>{std::string("GET ") + kCrdPath});
}

TEST_F(CheckCrdTest, IsMissingIfThereIsNone) {
  transport_.answers[kCrdPath] = Refusal(404, "NotFound");
  EXPECT_EQ(Check().error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Check().error().message, "the CRD agents.agentroster.dev is missing");
}

TEST_F(CheckCrdTest, AsksForOneAgentIfItMayNotReadTheCrd) {
  transport_.answers[kCrdPath] = Refusal(403, "Forbidden");
  transport_.answers[kAllAgents] = NoAgents();
  EXPECT_EQ(*Check(), CrdCheck::kPresent);
  ASSERT_EQ(transport_.asked.size(), 2U);
  EXPECT_EQ(transport_.asked[1], std::string("GET ") + kAllAgents + "?limit=1");
}

TEST_F(CheckCrdTest, AsksInTheFirstNamespaceItWatches) {
  transport_.answers[kCrdPath] = Refusal(403, "Forbidden");
  transport_.answers[kTeamAgents] = NoAgents();
  EXPECT_EQ(*Check({"team-a", "team-b"}), CrdCheck::kPresent);
}

TEST_F(CheckCrdTest, IsMissingIfAgentsCannotBeFoundEither) {
  transport_.answers[kCrdPath] = Refusal(403, "Forbidden");
  transport_.answers[kAllAgents] = Refusal(404, "NotFound");
  EXPECT_EQ(Check().error().kind, ErrorKind::kNotFound);
}

TEST_F(CheckCrdTest, PassesOnWhatMayPass) {
  EXPECT_EQ(Check().error().kind, ErrorKind::kUnavailable);
  transport_.answers[kCrdPath] = Refusal(403, "Forbidden");
  EXPECT_EQ(Check().error().kind, ErrorKind::kUnavailable);
  transport_.answers[kAllAgents] = Refusal(403, "Forbidden");
  EXPECT_EQ(Check().error().kind, ErrorKind::kForbidden);
  transport_.answers[kCrdPath] = Refusal(401, "Unauthorized");
  EXPECT_EQ(Check().error().kind, ErrorKind::kUnauthorized);
}

}  // namespace
}  // namespace roster::app
