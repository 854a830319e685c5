#include "agents/state_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "agents/facts.h"
#include "unit/agents/scene.h"
#include "unit/agents/state_rows.h"

namespace roster::agents {
namespace {

using api::AgentState;
using api::ConditionStatus;
using api::DesiredState;
using api::Health;

// Calls `look` with every combination of facts there is.
void ForAllFacts(const std::function<void(const Facts&)>& look) {
  constexpr bool kBools[] = {false, true};
  Facts f;
  for (const Kind kind : {Kind::kWorkload, Kind::kEndpoint})
    for (const auto desired :
         {DesiredState::kRunning, DesiredState::kPaused, DesiredState::kStopped})
      for (const auto refusal : {Refusal::kNone, Refusal::kIdentity, Refusal::kTemplate})
        for (const auto pods : {Pods::kNone, Pods::kPending, Pods::kUnready, Pods::kSomeReady,
                                Pods::kRollingOut, Pods::kAllReady})
          for (const auto trouble :
               {Trouble::kNone, Trouble::kPassing, Trouble::kFailing, Trouble::kTerminal})
            for (const auto beat : {Beat::kNotExpected, Beat::kAwaited, Beat::kFresh, Beat::kLate})
              for (const auto report :
                   {Report::kNone, Report::kHealthy, Report::kDegraded, Report::kUnhealthy})
                for (const bool deleting : kBools)
                  for (const bool not_started : kBools)
                    for (const bool zero_wanted : kBools)
                      for (const bool was_up : kBools)
                        for (const bool service_blocked : kBools)
                          for (const bool pending : kBools) {
                            f = {kind,        desired, deleting,        refusal, not_started,
                                 zero_wanted, was_up,  service_blocked, pending, pods,
                                 trouble,     beat,    report};
                            look(f);
                          }
}

std::string Print(const Facts& f) {
  return fmt::format(
      "kind {} desired {} deleting {} refusal {} not_started {} zero_wanted {} was_up {} "
      "service_blocked {} pending {} pods {} trouble {} beat {} report {}",
      static_cast<int>(f.kind), ToString(f.desired), f.deleting, static_cast<int>(f.refusal),
      f.not_started, f.zero_wanted, f.was_up, f.service_blocked, f.pending,
      static_cast<int>(f.pods), static_cast<int>(f.trouble), static_cast<int>(f.beat),
      static_cast<int>(f.report));
}

std::string Print(const ConditionVerdict& verdict) {
  return verdict.present ? fmt::format("{} {}", ToString(verdict.status), verdict.reason)
                         : "absent";
}

bool Same(const ConditionVerdict& a, const ConditionVerdict& b) {
  return a.present == b.present && (!a.present || (a.status == b.status && a.reason == b.reason));
}

// Finds rows in one table and remembers which were found.
template <class Row>
class Table {
 public:
  explicit Table(std::span<const Row> rows) : rows_(rows), reached_(rows.size()) {}

  const Row* Find(const Facts& facts, AgentState state = AgentState::kUnset,
                  Health health = Health::kUnset) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (!Fits(rows_[i].when, facts, state, health)) continue;
      reached_[i] = true;
      return &rows_[i];
    }
    return nullptr;
  }

  std::vector<std::string_view> NeverReached() const {
    std::vector<std::string_view> names;
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (!reached_[i]) names.push_back(rows_[i].name);
    }
    return names;
  }

 private:
  const std::span<const Row> rows_;
  std::vector<bool> reached_;
};

TEST(StateTableTest, CoversEveryInputAndJudgeFollowsIt) {
  Table states(StateRows());
  Table readiness(ReadyRows());
  Table healths(HealthRows());
  Table available(AvailableRows());
  Table accepted(AcceptedRows());
  Table heartbeats(HeartbeatFreshRows());
  size_t inputs = 0;
  ForAllFacts([&](const Facts& facts) {
    if (testing::Test::HasFailure()) return;  // one is enough to mend
    ++inputs;
    const Facts seen = Seen(facts);
    const Verdict v = Judge(facts);
    const auto* state = states.Find(seen);
    const auto* ready = readiness.Find(seen);
    const auto* health = healths.Find(seen);
    ASSERT_TRUE(state && ready && health) << "no row for " << Print(facts);
    const auto* use = available.Find(seen, state->state, health->health);
    const auto* accept = accepted.Find(seen);
    const auto* beat = heartbeats.Find(seen);
    ASSERT_TRUE(use && accept && beat) << "no row for " << Print(facts);

    const auto expect = [&](std::string_view what, std::string_view row, const Cell& expected,
                            const ConditionVerdict& actual) {
      EXPECT_TRUE(Same(actual, expected)) << what << " is " << Print(actual) << ", row " << row
                                          << " says " << Print(expected) << "\n  " << Print(facts);
    };
    EXPECT_EQ(v.state, state->state) << ToString(v.state) << ", row " << state->name << " says "
                                     << ToString(state->state) << "\n  " << Print(facts);
    EXPECT_EQ(v.health, health->health)
        << ToString(v.health) << ", row " << health->name << " says " << ToString(health->health)
        << "\n  " << Print(facts);
    expect("WorkloadAvailable", state->name, state->workload_available, v.workload_available);
    expect("Ready", ready->name, ready->ready, v.ready);
    const Cell beside{true, ConditionStatus::kTrue, ready->ready.reason};
    expect("Reconciling", ready->name, ready->beside == Beside::kReconciling ? beside : Cell{},
           v.reconciling);
    expect("Stalled", ready->name, ready->beside == Beside::kStalled ? beside : Cell{}, v.stalled);
    expect("Healthy", health->name, health->healthy, v.healthy);
    Cell usable = use->condition;
    if (usable.reason == kReasonOfHealthy) usable.reason = health->healthy.reason;
    expect("Available", use->name, usable, v.available);
    expect("Accepted", accept->name, accept->condition, v.accepted);
    expect("HeartbeatFresh", beat->name, beat->condition, v.heartbeat_fresh);
  });
  EXPECT_EQ(inputs, 2u * 3 * 3 * 6 * 4 * 4 * 4 * 64);
  EXPECT_THAT(states.NeverReached(), testing::IsEmpty());
  EXPECT_THAT(readiness.NeverReached(), testing::IsEmpty());
  EXPECT_THAT(healths.NeverReached(), testing::IsEmpty());
  EXPECT_THAT(available.NeverReached(), testing::IsEmpty());
  EXPECT_THAT(accepted.NeverReached(), testing::IsEmpty());
  EXPECT_THAT(heartbeats.NeverReached(), testing::IsEmpty());
}

TEST(StateTableTest, HasManyRowsAndEachItsName) {
  const auto names = [](auto rows) {
    std::set<std::string_view> unique;
    for (const auto& row : rows) unique.insert(row.name);
    EXPECT_EQ(unique.size(), rows.size());
    return rows.size();
  };
  EXPECT_GE(names(StateRows()) + names(ReadyRows()) + names(HealthRows()) + names(AvailableRows()) +
                names(AcceptedRows()) + names(HeartbeatFreshRows()),
            60u);
}

// What tools take for granted, whatever the tables say.
TEST(StateTableTest, NeverContradictsItself) {
  ForAllFacts([](const Facts& facts) {
    if (testing::Test::HasFailure()) return;
    const Verdict v = Judge(facts);
    SCOPED_TRACE(Print(facts));
    const auto is = [](const ConditionVerdict& c, ConditionStatus status) {
      return c.present && c.status == status;
    };
    EXPECT_TRUE(v.ready.present && v.accepted.present && v.healthy.present && v.available.present);
    EXPECT_NE(v.state, AgentState::kUnset);
    EXPECT_NE(v.health, Health::kUnset);
    EXPECT_FALSE(v.reconciling.present && v.stalled.present);
    EXPECT_FALSE(v.reconciling.present && !is(v.reconciling, ConditionStatus::kTrue));
    EXPECT_FALSE(v.stalled.present && !is(v.stalled, ConditionStatus::kTrue));
    // kstatus: whatever is not ready is on its way, or stalled, or going.
    EXPECT_EQ(is(v.ready, ConditionStatus::kFalse),
              v.reconciling.present || v.stalled.present || facts.deleting);
    EXPECT_EQ(is(v.healthy, ConditionStatus::kTrue), v.health == Health::kHealthy);
    EXPECT_EQ(is(v.healthy, ConditionStatus::kUnknown), v.health == Health::kUnknown);
    EXPECT_EQ(v.workload_available.present, facts.kind == Kind::kWorkload);
    if (is(v.available, ConditionStatus::kTrue)) {
      EXPECT_EQ(v.state, AgentState::kRunning);
      EXPECT_TRUE(v.health == Health::kHealthy || v.health == Health::kDegraded);
      EXPECT_TRUE(facts.kind == Kind::kEndpoint ||
                  is(v.workload_available, ConditionStatus::kTrue));
    }
    if (is(v.accepted, ConditionStatus::kFalse)) {
      EXPECT_FALSE(is(v.ready, ConditionStatus::kTrue));
    }
    if (v.state == AgentState::kFailed || v.state == AgentState::kLost) {
      EXPECT_FALSE(is(v.available, ConditionStatus::kTrue));
    }
    // A heartbeat is no part of what the spec asks for.
    if (is(v.ready, ConditionStatus::kTrue)) {
      Facts late = facts;
      late.beat = Beat::kLate;
      EXPECT_TRUE(is(Judge(late).ready, ConditionStatus::kTrue));
    }
  });
}

// The two lists of troubles in docs/states.md, against what is made of them.

TEST(TroubleTest, WhatAPodSaysMeansWhatThePageSays) {
  for (const TroubleRow& row : PodTroubles()) {
    test::Scene scene(test::WorkloadAgent());
    scene.pods = {test::TroubledPod(std::string(row.reason), "words")};
    const FactsAndWords gathered = GatherFacts(scene.Observe(), scene.settings, {}, scene.now);
    EXPECT_EQ(gathered.facts.trouble, row.trouble) << row.reason;
    EXPECT_EQ(gathered.trouble.reason, row.reason);
    EXPECT_EQ(gathered.trouble.message,
              "pod researcher-1: words" +
                  std::string(row.reason == "CrashLoopBackOff" ? "; restarts so far: 0" : ""));
  }
}

TEST(TroubleTest, WhatKeepsADeploymentFromMakingPodsMeansWhatThePageSays) {
  for (const FailureRow& row : ReplicaFailures()) {
    test::Scene scene(test::WorkloadAgent());
    Observed observed = scene.Observe();
    auto deployment = std::make_shared<api::Deployment>();
    deployment->replica_failure = {"FailedCreate", std::string(row.message)};
    observed.deployment = deployment;
    const FactsAndWords gathered = GatherFacts(observed, scene.settings, {}, scene.now);
    EXPECT_EQ(gathered.facts.trouble, row.trouble) << row.message;
    EXPECT_EQ(gathered.trouble, (Problem{std::string(row.reason), std::string(row.message)}));
  }
}

TEST(StateDocumentTest, IsWhatTheTreeHolds) {
  const std::string document = StateDocument();
  if (const char* folder = std::getenv("ROSTER_UPDATE_DOCS")) {
    std::ofstream file(std::string(folder) + "/states.md");
    file << document;
    ASSERT_TRUE(file.flush().good()) << "cannot write into " << folder;
    return;
  }
  std::ifstream file(ROSTER_DOCS_DIR "/states.md");
  std::stringstream tree;
  tree << file.rdbuf();
  EXPECT_EQ(tree.str(), document) << "docs/states.md is not what the state table says. To write it "
                                     "anew, from the top of the tree:\n"
                                     "  ROSTER_UPDATE_DOCS=docs build/release/bin/state_table_test "
                                     "--gtest_filter='StateDocument*'";
}

}  // namespace
}  // namespace roster::agents
