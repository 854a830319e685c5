#include "kube/resource.h"

#include <gtest/gtest.h>

namespace roster::kube {
namespace {

TEST(ResourceTest, PathsFollowTheApiConventions) {
  EXPECT_EQ(kAgents.Path("ns"), "/apis/agentroster.dev/v1alpha1/namespaces/ns/agents");
  EXPECT_EQ(kAgents.Path(""), "/apis/agentroster.dev/v1alpha1/agents");
  EXPECT_EQ(kAgents.Path("ns", "a"), "/apis/agentroster.dev/v1alpha1/namespaces/ns/agents/a");
  EXPECT_EQ(kAgents.Path("ns", "a", "status"),
            "/apis/agentroster.dev/v1alpha1/namespaces/ns/agents/a/status");
  EXPECT_EQ(kServices.Path("ns", "a"), "/api/v1/namespaces/ns/services/a");
  EXPECT_EQ(kPods.Path(""), "/api/v1/pods");
  EXPECT_EQ(kCustomResourceDefinitions.Path("", "agents.agentroster.dev"),
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/agents.agentroster.dev");
}

TEST(ResourceTest, NamesCannotLeaveTheirPlaceInThePath) {
  EXPECT_EQ(kPods.Path("n/s", "../a?b=c#d e%"),
            "/api/v1/namespaces/n%2Fs/pods/..%2Fa%3Fb%3Dc%23d%20e%25");
}

TEST(ResourceTest, TheCoreGroupHasNoName) {
  EXPECT_EQ(kPods.ApiVersion(), "v1");
  EXPECT_EQ(kDeployments.ApiVersion(), "apps/v1");
}

TEST(PercentEncodeTest, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(PercentEncode("a=b,c in (d)"), "a%3Db%2Cc%20in%20%28d%29");
  EXPECT_EQ(PercentEncode("ü\n\x7F"), "%C3%BC%0A%7F");
  EXPECT_EQ(PercentEncode(""), "");
}

}  // namespace
}  // namespace roster::kube
