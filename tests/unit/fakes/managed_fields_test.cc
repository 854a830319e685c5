#include "fakes/managed_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roster::fake {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Printed(const FieldSet& set) {
  std::vector<std::string> printed;
  for (const FieldPath& path : set.paths()) printed.push_back(PrintPath(path));
  return printed;
}

TEST(FieldSetTest, AnApplierOwnsValuesAndItemsButNotTheWayThere) {
  const FieldSet set =
      FieldSet::OfApplied({{"kind", "Deployment"},
                           {"metadata", {{"name", "d"}, {"labels", {{"a", "1"}}}}},
                           {"spec",
                            {{"selector", {{"matchLabels", {{"a", "1"}}}}},
                             {"containers", {{{"name", "agent"}, {"args", {"x", "y"}}}}}}}});
  EXPECT_THAT(Printed(set), ElementsAre(".metadata.labels.a", ".spec.containers[name=\"agent\"]",
                                        ".spec.containers[name=\"agent\"].args",
                                        ".spec.containers[name=\"agent\"].name", ".spec.selector"));
}

TEST(FieldSetTest, FieldsV1ReadsBackAsItWasWritten) {
  const json fields = {
      {"f:metadata", {{"f:labels", {{".", json::object()}, {"f:a", json::object()}}}}},
      {"f:spec",
       {{"f:ports",
         {{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}", {{".", json::object()}}}}}}}};
  json expected = fields;
  // An item without known fields is written as a value.
  expected["f:spec"]["f:ports"]["k:{\"containerPort\":80,\"protocol\":\"TCP\"}"] = json::object();
  EXPECT_EQ(FieldSet::FromFieldsV1(fields).ToFieldsV1(), expected);
}

TEST(FieldSetTest, APortWithoutAProtocolIsTcp) {
  const json list = {{{"containerPort", 80}}, {{"containerPort", 80}, {"protocol", "UDP"}}};
  EXPECT_EQ(StepTo("ports", list, list[0]), "k:{\"containerPort\":80,\"protocol\":\"TCP\"}");
  EXPECT_EQ(StepTo("ports", list, list[1]), "k:{\"containerPort\":80,\"protocol\":\"UDP\"}");
}

TEST(ManagedFieldsTest, AnUpdateTakesFieldsFromWhomeverHadThem) {
  ManagedFields managed;
  const json before = {{"spec", {{"a", 1}, {"b", 1}}}};
  managed.RecordUpdate({"one", ""}, "v1", "t1", json::object(), before);
  const json after = {{"spec", {{"a", 2}, {"b", 1}}}};
  managed.RecordUpdate({"two", ""}, "v1", "t2", before, after);
  json object = after;
  managed.Store(object);
  const json& entries = object["metadata"]["managedFields"];
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0]["manager"], "one");
  EXPECT_FALSE(entries[0]["fieldsV1"]["f:spec"].contains("f:a"));
  EXPECT_TRUE(entries[0]["fieldsV1"]["f:spec"].contains("f:b"));
  EXPECT_EQ(entries[1]["fieldsV1"], json({{"f:spec", {{"f:a", json::object()}}}}));
}

TEST(ManagedFieldsTest, WhatTwoApplyIsSharedAndStaysUntilBothLeaveIt) {
  ManagedFields managed;
  const json intent = {{"metadata", {{"labels", {{"a", "1"}, {"b", "1"}}}}}};
  json object = managed.Apply({"one", ""}, "v1", "t", json::object(), intent, false).object;
  object = managed.Apply({"two", ""}, "v1", "t", object, intent, false).object;
  const json less = {{"metadata", {{"labels", {{"a", "1"}}}}}};
  object = managed.Apply({"one", ""}, "v1", "t", object, less, false).object;
  EXPECT_TRUE(object["metadata"]["labels"].contains("b"));
  object = managed.Apply({"two", ""}, "v1", "t", object, less, false).object;
  EXPECT_FALSE(object["metadata"]["labels"].contains("b"));
}

TEST(ManagedFieldsTest, ItemsKeepTheirOrderAndNewOnesComeAsTheIntentHasThem) {
  ManagedFields managed;
  const auto with = [](std::initializer_list<const char*> names) {
    json containers = json::array();
    for (const char* name : names) containers.push_back({{"name", name}});
    return json{{"spec", {{"containers", containers}}}};
  };
  const json live = with({"injected", "a", "b"});
  const json merged =
      managed.Apply({"one", ""}, "v1", "t", live, with({"a", "new", "b"}), false).object;
  EXPECT_EQ(merged, with({"injected", "a", "new", "b"}));
}

TEST(ManagedFieldsTest, AConflictNamesTheManagerAndTheField) {
  ManagedFields managed;
  const json object =
      managed.Apply({"one", ""}, "v1", "t", json::object(), {{"spec", {{"a", 1}}}}, false).object;
  const auto applied = managed.Apply({"two", ""}, "v1", "t", object, {{"spec", {{"a", 2}}}}, false);
  EXPECT_THAT(applied.conflicts,
              ElementsAre(std::pair<std::string, std::string>("one", ".spec.a")));
}

}  // namespace
}  // namespace roster::fake
