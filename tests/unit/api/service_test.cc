#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/children.h"
#include "api/json.h"

namespace roster::api {
namespace {

using testing::HasSubstr;

// What Roster sends.
json Intent() {
  return json::parse(R"({
  "apiVersion": "v1", "kind": "Service",
  "metadata": {
    "annotations": {"agentroster.dev/intent-hash": "0123456789abcdef"},
    "labels": {"agentroster.dev/agent-uid": "u-agent", "app.kubernetes.io/managed-by": "roster"},
    "name": "researcher", "namespace": "lab"},
  "spec": {"type": "ClusterIP", "selector": {"agentroster.dev/agent-uid": "u-agent"},
           "ports": [{"name": "http", "port": 8000, "targetPort": 8000, "protocol": "TCP"}]}})");
}

// What Kubernetes 1.35 makes of it.
json RealService() {
  json object = Intent();
  object["metadata"].update(json::parse(R"({
    "creationTimestamp": "2026-01-02T03:04:05Z", "resourceVersion": "812", "uid": "u-service",
    "managedFields": [{"apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "roster",
                       "operation": "Update", "time": "2026-01-02T03:04:05Z"}]})"));
  object["spec"].update(json::parse(R"({
    "clusterIP": "10.96.17.3", "clusterIPs": ["10.96.17.3"], "internalTrafficPolicy": "Cluster",
    "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "sessionAffinity": "None"})"));
  object["status"] = json::parse(R"({"loadBalancer": {}})");
  return object;
}

TEST(ParseServiceTest, ReadsWhatRosterActsOn) {
  const auto service = ParseService(RealService());
  ASSERT_TRUE(service.ok()) << service.error().message;
  EXPECT_EQ(service->meta.uid, "u-service");
  EXPECT_EQ(service->meta.generation, 0) << "Services have none";
  EXPECT_EQ(service->agent_uid, "u-agent");
  EXPECT_EQ(service->update_entry, 0);
  EXPECT_FALSE(service->paused);
}

TEST(ParseServiceTest, IsPausedByALabelThatNoPodCarries) {
  json object = RealService();
  object["spec"]["selector"]["agentroster.dev/paused"] = "true";
  EXPECT_TRUE(ParseService(object)->paused);
}

TEST(ParseServiceTest, AServiceWithoutASelectorIsUnderstood) {
  json object = RealService();
  object["spec"].erase("selector");
  object["spec"].erase("ports");
  EXPECT_TRUE(ParseService(object).ok());
}

TEST(OwnedServiceTest, WhatTheServerFillsInIsNoDrift) {
  EXPECT_EQ(OwnedServiceHash(Intent()), OwnedServiceHash(RealService()));
  json bare = Intent();
  bare["spec"].erase("type");
  bare["spec"]["ports"][0].erase("protocol");
  EXPECT_EQ(OwnedServiceHash(bare), OwnedServiceHash(Intent())) << "defaults count as written";
}

TEST(OwnedServiceTest, SeesEditsOfOurOwnFieldsOnly) {
  const struct {
    const char* pointer;
    json value;
    bool seen;
  } table[] = {
      {"/spec/ports/0/port", 8001, true},
      {"/spec/ports/0/targetPort", 8001, true},
      {"/spec/ports/0/targetPort", "http", true},
      {"/spec/ports/0/name", "web", true},
      {"/spec/ports/0/protocol", "UDP", true},
      {"/spec/ports/1", {{"name", "debug"}, {"port", 9}}, false},
      {"/spec/ports", json::array(), true},
      {"/spec/selector/app", "other", true},
      {"/spec/selector/agentroster.dev~1agent-uid", "u-2", true},
      {"/spec/selector", json::object(), true},
      {"/spec/type", "NodePort", true},
      {"/metadata/labels/agentroster.dev~1agent-uid", "u-2", true},
      {"/metadata/labels/team", "search", false},
      {"/spec/ports/0/nodePort", 30080, false},
      {"/spec/clusterIP", "10.96.0.9", false},
      {"/spec/sessionAffinity", "ClientIP", false},
      {"/spec/ipFamilyPolicy", "PreferDualStack", false},
      {"/status/loadBalancer/ingress", json::array(), false},
  };
  const uint64_t before = ParseService(RealService())->owned_hash;
  for (const auto& [pointer, value, seen] : table) {
    SCOPED_TRACE(pointer);
    json object = RealService();
    object[json::json_pointer(pointer)] = value;
    const auto service = ParseService(object);
    ASSERT_TRUE(service.ok()) << service.error().message;
    EXPECT_EQ(service->owned_hash != before, seen);
  }
}

TEST(ParseServiceTest, RefusesWrongTypesAndNamesTheObject) {
  const std::pair<const char*, json> table[] = {
      {"/spec/ports", "x"},    {"/spec/ports/0/port", "http"},
      {"/spec/selector", "x"}, {"/spec/selector/a", 5},
      {"/spec/type", 5},
  };
  for (const auto& [pointer, value] : table) {
    SCOPED_TRACE(pointer);
    json object = RealService();
    object[json::json_pointer(pointer)] = value;
    const auto service = ParseService(object);
    ASSERT_FALSE(service.ok());
    EXPECT_THAT(service.error().message, HasSubstr("Service lab/researcher at version 812"));
  }
}

}  // namespace
}  // namespace roster::api
