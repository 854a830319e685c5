#include "store/agent_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roster::store {
namespace {

using api::AgentState;
using api::Health;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

AgentStore::Ptr Make(const std::string& ns, const std::string& name, const std::string& type,
                     AgentState state, Health health, const std::string& id = "") {
  auto agent = std::make_shared<api::Agent>();
  agent->meta.ns = ns;
  agent->meta.name = name;
  agent->meta.uid = "uid-" + ns + "-" + name;
  agent->meta.resource_version = 1;
  agent->spec.type = type;
  agent->spec.agent_id = id;
  agent->status.state = state;
  agent->status.health = health;
  return agent;
}

class AgentStoreTest : public testing::Test {
 protected:
  AgentStoreTest() {
    for (const auto& agent :
         {Make("one", "a", "research", AgentState::kRunning, Health::kHealthy),
          Make("one", "b", "research", AgentState::kFailed, Health::kUnhealthy, "a"),
          Make("two", "a", "writer", AgentState::kRunning, Health::kHealthy, "x"),
          Make("two", "n", "writer", AgentState::kUnset, Health::kUnset)}) {
      agents_->Put("", agent);
    }
  }
  std::vector<std::string> Found(size_t index, const std::string& value) const {
    std::vector<std::string> names;
    for (const auto& agent : agents_->Find(index, value))
      names.push_back(agent->meta.key().ToString());
    std::sort(names.begin(), names.end());
    return names;
  }
  const std::unique_ptr<AgentStore> agents_ = MakeAgentStore();
};

TEST_F(AgentStoreTest, FindsByEveryIndex) {
  EXPECT_THAT(Found(kByNamespace, "one"), ElementsAre("one/a", "one/b"));
  EXPECT_THAT(Found(kByType, "writer"), ElementsAre("two/a", "two/n"));
  EXPECT_THAT(Found(kByState, "Running"), ElementsAre("one/a", "two/a"));
  EXPECT_THAT(Found(kByState, ""), ElementsAre("two/n"));
  EXPECT_THAT(Found(kByHealth, "Unhealthy"), ElementsAre("one/b"));
  EXPECT_THAT(Found(kByTypeState, JoinParts({"research", "Running"})), ElementsAre("one/a"));
  EXPECT_THAT(Found(kByUid, "uid-one-b"), ElementsAre("one/b"));
}

TEST_F(AgentStoreTest, FindsAllThatClaimOneId) {
  EXPECT_EQ(AgentsWithId(*agents_, "one", "a").size(), 2u) << "by its name, and by spec.agentID";
  EXPECT_EQ(AgentsWithId(*agents_, "two", "x").size(), 1u);
  EXPECT_THAT(AgentsWithId(*agents_, "two", "a"), IsEmpty()) << "an agentID replaces the name";
  EXPECT_THAT(AgentsWithId(*agents_, "three", "a"), IsEmpty());
}

TEST_F(AgentStoreTest, FindsByUid) {
  ASSERT_NE(AgentWithUid(*agents_, "uid-two-a"), nullptr);
  EXPECT_EQ(AgentWithUid(*agents_, "uid-two-a")->meta.ns, "two");
  EXPECT_EQ(AgentWithUid(*agents_, "none"), nullptr);
}

TEST_F(AgentStoreTest, CountsWhatTheMetricsShow) {
  agents_->Put("", Make("two", "n", "writer", AgentState::kRunning, Health::kHealthy));
  EXPECT_THAT(agents_->Counts(kByMetricLabels),
              ElementsAre(Pair(JoinParts({"one", "research", "Failed", "Unhealthy"}), 1),
                          Pair(JoinParts({"one", "research", "Running", "Healthy"}), 1),
                          Pair(JoinParts({"two", "writer", "Running", "Healthy"}), 2)));
}

TEST(PodStoreTest, ListsPodsByTheirAgent) {
  const auto pods = MakePodStore();
  const auto put = [&](const std::string& ns, const std::string& name, const std::string& agent) {
    auto pod = std::make_shared<api::Pod>();
    pod->meta.ns = ns;
    pod->meta.name = name;
    pod->agent_uid = agent;
    pods->Put("", pod);
  };
  put("one", "p1", "u-1");
  put("one", "p2", "u-1");
  put("one", "p3", "u-2");
  put("two", "p4", "u-1");  // a label copied into another namespace makes no pod of ours
  EXPECT_EQ(PodsOf(*pods, "one", "u-1").size(), 2u);
  EXPECT_EQ(PodsOf(*pods, "two", "u-1").size(), 1u);
  EXPECT_THAT(PodsOf(*pods, "one", "u-3"), IsEmpty());
  put("one", "p2", "");  // its label was stripped
  EXPECT_EQ(PodsOf(*pods, "one", "u-1").size(), 1u);
}

TEST(PartsTest, SplitIntoWhatWasJoined) {
  const std::vector<std::vector<std::string_view>> table = {
      {"a"}, {"a", "b"}, {"", ""}, {"a", "", "c"}, {"", "b"}, {"a", ""}, {"a/b", "c d", "e,f"}};
  for (const auto& parts : table) {
    std::string joined;
    switch (parts.size()) {
      case 1:
        joined = JoinParts({parts[0]});
        break;
      case 2:
        joined = JoinParts({parts[0], parts[1]});
        break;
      default:
        joined = JoinParts({parts[0], parts[1], parts[2]});
        break;
    }
    EXPECT_EQ(SplitParts(joined), parts);
  }
  EXPECT_NE(JoinParts({"ab", "c"}), JoinParts({"a", "bc"}));
}

}  // namespace
}  // namespace roster::store
