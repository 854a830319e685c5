// Deletion: preconditions, finalizers, garbage collection.
#include <gmock/gmock.h>

#include "conformance/api_conformance.h"

namespace roster::conformance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::stop_token kNever;

TEST_F(ApiConformance, ADeletedObjectIsGone) {
  Create(kube::kAgents, Agent("a"));
  Delete(kube::kAgents, "a");
  const auto found = client().Get(kube::kAgents, Key("a"), kNever);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
  const Status again = client().Delete(kube::kAgents, Key("a"), {}, kNever);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kNotFound);
}

TEST_F(ApiConformance, ADeleteWithAnotherUidOrVersionIsAConflict) {
  const json created = Create(kube::kAgents, Agent("a"));
  PatchBy("hand", kube::kAgents, "a", {{"spec", {{"replicas", 2}}}});

  kube::Client::DeleteOptions options;
  options.uid = "another";
  Status refused = client().Delete(kube::kAgents, Key("a"), options, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(refused.error().message,
              HasSubstr("the UID in the precondition (another) does not match the UID in record (" +
                        Uid(created) + ")"));

  options.uid = Uid(created);
  options.resource_version = created["metadata"]["resourceVersion"];
  refused = client().Delete(kube::kAgents, Key("a"), options, kNever);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("the ResourceVersion in the precondition"));

  options.resource_version = Get(kube::kAgents, "a")["metadata"]["resourceVersion"];
  EXPECT_TRUE(client().Delete(kube::kAgents, Key("a"), options, kNever));
}

TEST_F(ApiConformance, AFinalizerKeepsADeletedObjectUntilItIsRemoved) {
  json agent = Agent("a");
  agent["metadata"]["finalizers"] = {"agentroster.dev/test"};
  const json created = Create(kube::kAgents, agent);
  Delete(kube::kAgents, "a");
  const json deleting = Get(kube::kAgents, "a");
  EXPECT_TRUE(deleting["metadata"].contains("deletionTimestamp"));
  EXPECT_EQ(Generation(deleting), 2);

  kube::WatchOptions options;
  options.resource_version = created["metadata"]["resourceVersion"];
  const std::string version = std::to_string(Version(created));
  PatchBy("hand", kube::kAgents, "a", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_FALSE(client().Get(kube::kAgents, Key("a"), kNever));
  EXPECT_THAT(Describe(Watch(kube::kAgents, options, 2)), ElementsAre("MODIFIED a", "DELETED a"));
}

TEST_F(ApiConformance, WhatADeletedAgentOwnedIsCollected) {
  const json agent = Create(kube::kAgents, Agent("a"));
  Create(kube::kDeployments, OwnedBy(agent, Deployment("a")));
  Create(kube::kServices, OwnedBy(agent, Service("a")));
  Create(kube::kDeployments, Deployment("free"));
  Delete(kube::kAgents, "a");
  const auto gone = [&](const kube::Resource& resource) {
    const auto found = client().Get(resource, Key("a"), kNever);
    return !found && found.error().kind == ErrorKind::kNotFound;
  };
  EXPECT_TRUE(Eventually([&] { return gone(kube::kDeployments) && gone(kube::kServices); }));
  EXPECT_TRUE(client().Get(kube::kDeployments, Key("free"), kNever));
}

TEST_F(ApiConformance, WhatIsOwnedByANamesakeOfADeletedAgentIsCollectedToo) {
  const json first = Create(kube::kAgents, Agent("a"));
  Delete(kube::kAgents, "a");
  Create(kube::kAgents, Agent("a"));
  Create(kube::kDeployments, OwnedBy(first, Deployment("a")));
  EXPECT_TRUE(Eventually([&] { return !client().Get(kube::kDeployments, Key("a"), kNever).ok(); }));
  EXPECT_TRUE(client().Get(kube::kAgents, Key("a"), kNever));
}

}  // namespace
}  // namespace roster::conformance
