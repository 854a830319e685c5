#include "metrics/agent_series.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include "metrics/label_cap.h"
#include "metrics/text_format.h"
#include "unit/metrics/exposition.h"

namespace roster::metrics {
namespace {

using api::AgentState;
using api::Health;

struct AgentsTest : public ::testing::Test {
  void Put(const std::string& ns, const std::string& name, const std::string& type,
           AgentState state, Health health, int age = 0) {
    api::Agent agent;
    agent.meta.ns = ns;
    agent.meta.name = name;
    agent.meta.uid = ns + "/" + name;
    agent.meta.resource_version = ++version;
    agent.meta.creation_time = WallTime(std::chrono::seconds(1'000'000 - age));
    agent.spec.type = type;
    agent.spec.workload.emplace();
    agent.status.state = state;
    agent.status.health = health;
    if (edit) edit(agent);
    agents->Put("", std::make_shared<const api::Agent>(std::move(agent)));
  }
  void Erase(const std::string& ns, const std::string& name) {
    agents->Erase("", {ns, name}, ++version);
  }

  std::string Counts(AgentSeries& series) { return ToText({series.Counts(*agents, dropped)}); }
  std::string Each(const AgentSeries& series) {
    std::string out;
    series.AppendEach(*agents, out, dropped);
    return out;
  }

  std::unique_ptr<store::AgentStore> agents = store::MakeAgentStore();
  uint64_t version = 0;
  std::function<void(api::Agent&)> edit;
  AgentSeries::Dropped dropped;
};

TEST_F(AgentsTest, CountsByNamespaceTypeStateAndHealth) {
  Put("ns1", "a", "research", AgentState::kRunning, Health::kHealthy);
  Put("ns1", "b", "research", AgentState::kRunning, Health::kHealthy);
  Put("ns1", "c", "research", AgentState::kFailed, Health::kUnhealthy);
  Put("ns2", "a", "tools", AgentState::kUnset, Health::kUnset);
  AgentSeries series({});
  EXPECT_EQ(
      Counts(series),
      "# HELP roster_agents Agents that exist, by namespace, type, state and health.\n"
      "# TYPE roster_agents gauge\n"
      "roster_agents{namespace=\"ns1\",type=\"research\",state=\"Failed\",health=\"Unhealthy\"} 1\n"
      "roster_agents{namespace=\"ns1\",type=\"research\",state=\"Running\",health=\"Healthy\"} 2\n"
      "roster_agents{namespace=\"ns2\",type=\"tools\",state=\"_none\",health=\"_none\"} 1\n");
}

TEST_F(AgentsTest, HasNoSeriesForWhatIsGone) {
  AgentSeries series({});
  Put("ns", "a", "t", AgentState::kRunning, Health::kHealthy);
  Put("ns", "a", "t", AgentState::kStopped, Health::kUnknown);
  EXPECT_EQ(LineOf(Counts(series),
                   R"(roster_agents{namespace="ns",type="t",state="Running",health="Healthy"})"),
            "");
  EXPECT_NE(LineOf(Each(series), R"(roster_agent_state{namespace="ns",name="a",state="Stopped"})"),
            "");
  EXPECT_EQ(LineOf(Each(series), R"(roster_agent_state{namespace="ns",name="a",state="Running"})"),
            "");
  Erase("ns", "a");
  EXPECT_EQ(Counts(series), "");
  EXPECT_EQ(Each(series), "");
}

TEST_F(AgentsTest, SumsTheSurplusOfNamespacesAndTypesUnderOther) {
  AgentSeries series({.agents = 100, .namespaces = 2, .types = 1});
  Put("a", "1", "t1", AgentState::kRunning, Health::kHealthy);
  Put("b", "1", "t1", AgentState::kRunning, Health::kHealthy);
  Put("c", "1", "t1", AgentState::kRunning, Health::kHealthy);
  Put("d", "1", "t2", AgentState::kRunning, Health::kHealthy);
  Put("e", "1", "t2", AgentState::kRunning, Health::kHealthy);
  const std::string text = Counts(series);
  EXPECT_EQ(
      text,
      "# HELP roster_agents Agents that exist, by namespace, type, state and health.\n"
      "# TYPE roster_agents gauge\n"
      "roster_agents{namespace=\"_other\",type=\"_other\",state=\"Running\",health=\"Healthy\"} 2\n"
      "roster_agents{namespace=\"_other\",type=\"t1\",state=\"Running\",health=\"Healthy\"} 1\n"
      "roster_agents{namespace=\"a\",type=\"t1\",state=\"Running\",health=\"Healthy\"} 1\n"
      "roster_agents{namespace=\"b\",type=\"t1\",state=\"Running\",health=\"Healthy\"} 1\n");
  EXPECT_EQ(dropped.namespaces, 3U);
  EXPECT_EQ(dropped.types, 1U);
}

TEST_F(AgentsTest, ANewNamespaceNeverTurnsAnOldOnesSeriesOff) {
  AgentSeries series({.agents = 100, .namespaces = 1, .types = 1});
  Put("m", "1", "t", AgentState::kRunning, Health::kHealthy);
  Counts(series);
  Put("a", "1", "t", AgentState::kRunning, Health::kHealthy);  // before "m" in every order
  EXPECT_NE(LineOf(Counts(series),
                   R"(roster_agents{namespace="m",type="t",state="Running",health="Healthy"})"),
            "");
  Erase("m", "1");
  EXPECT_NE(LineOf(Counts(series),
                   R"(roster_agents{namespace="a",type="t",state="Running",health="Healthy"})"),
            "");
}

TEST_F(AgentsTest, DescribesEachAgent) {
  edit = [](api::Agent& agent) {
    agent.spec.agent_id = "flat \"id\"\\";
    agent.spec.desired_state = api::DesiredState::kPaused;
    agent.spec.resident = true;
    agent.spec.workload.reset();
    agent.spec.endpoint.emplace();
    agent.status.last_heartbeat_time = WallTime(std::chrono::milliseconds(1'753'000'000'250));
  };
  Put("ns", "b", "t", AgentState::kPaused, Health::kDegraded);
  edit = nullptr;
  Put("ns", "a", "t", AgentState::kRunning, Health::kHealthy);
  EXPECT_EQ(
      Each(AgentSeries({})),
      "# HELP roster_agent_info What each Agent is; always 1.\n"
      "# TYPE roster_agent_info gauge\n"
      "roster_agent_info{namespace=\"ns\",name=\"a\",agent_id=\"a\",type=\"t\",kind=\"workload\","
      "desired_state=\"Running\",resident=\"false\"} 1\n"
      "roster_agent_info{namespace=\"ns\",name=\"b\",agent_id=\"flat \\\"id\\\"\\\\\",type=\"t\","
      "kind=\"endpoint\",desired_state=\"Paused\",resident=\"true\"} 1\n"
      "# HELP roster_agent_state The state that each Agent is in; 1, with the state as a label.\n"
      "# TYPE roster_agent_state gauge\n"
      "roster_agent_state{namespace=\"ns\",name=\"a\",state=\"Running\"} 1\n"
      "roster_agent_state{namespace=\"ns\",name=\"b\",state=\"Paused\"} 1\n"
      "# HELP roster_agent_healthy 1 if the verdict on the Agent's health is Healthy, else 0.\n"
      "# TYPE roster_agent_healthy gauge\n"
      "roster_agent_healthy{namespace=\"ns\",name=\"a\"} 1\n"
      "roster_agent_healthy{namespace=\"ns\",name=\"b\"} 0\n"
      "# HELP roster_agent_last_heartbeat_timestamp_seconds When the Agent was last heard of, in "
      "seconds "
      "since unix epoch, as its status says.\n"
      "# TYPE roster_agent_last_heartbeat_timestamp_seconds gauge\n"
      "roster_agent_last_heartbeat_timestamp_seconds{namespace=\"ns\",name=\"b\"} 1753000000.25\n");
  EXPECT_EQ(dropped.agents, 0U);
}

TEST_F(AgentsTest, OfTooManyAgentsTheOldestKeepTheirSeries) {
  Put("ns", "young", "t", AgentState::kRunning, Health::kHealthy, 1);
  Put("ns", "old", "t", AgentState::kRunning, Health::kHealthy, 100);
  Put("ns", "older", "t", AgentState::kRunning, Health::kHealthy, 200);
  const std::string text = Each(AgentSeries({.agents = 2}));
  EXPECT_EQ(
      FamilyOf(text, "roster_agent_healthy"),
      "# HELP roster_agent_healthy 1 if the verdict on the Agent's health is Healthy, else 0.\n"
      "# TYPE roster_agent_healthy gauge\n"
      "roster_agent_healthy{namespace=\"ns\",name=\"old\"} 1\n"
      "roster_agent_healthy{namespace=\"ns\",name=\"older\"} 1\n");
  EXPECT_EQ(text.find("young"), std::string::npos);
  EXPECT_EQ(dropped.agents, 1U);
}

TEST_F(AgentsTest, ALimitOfZeroMeansNoSeriesAnAgent) {
  Put("ns", "a", "t", AgentState::kRunning, Health::kHealthy);
  EXPECT_EQ(Each(AgentSeries({.agents = 0})), "");
  EXPECT_EQ(dropped.agents, 1U);
}

TEST(LabelCapTest, AdmitsUpToItsLimitAndNamesTheRestOther) {
  LabelCap cap(2);
  EXPECT_TRUE(cap.Admit("a"));
  EXPECT_TRUE(cap.Admit("b"));
  EXPECT_FALSE(cap.Admit("c"));
  EXPECT_TRUE(cap.Admit("a"));
  EXPECT_EQ(cap.LabelFor("b"), "b");
  EXPECT_EQ(cap.LabelFor("c"), "_other");
}

}  // namespace
}  // namespace roster::metrics
