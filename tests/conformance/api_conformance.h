// One suite of what Roster relies on in the Kubernetes API, run on the fake API server and on a
// real one: the same assertions hold on both, so tests on the fake say something about clusters.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "api/meta.h"
#include "conformance/environment.h"
#include "kube/client.h"
#include "kube/resource.h"

namespace roster::conformance {

using kube::WatchEvent;
using kube::WatchEventType;
using nlohmann::json;

class ApiConformance : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  /// A namespace of its own for each test, which goes with it.
  void SetUp() override;
  void TearDown() override;

  api::ObjectKey Key(const std::string& name) const { return {ns_, name}; }

  // Manifests, small but of the shape that Roster writes.
  json Agent(const std::string& name) const;
  json Deployment(const std::string& name) const;
  json Service(const std::string& name) const;
  /// The same with an owner reference as Roster sets it.
  json OwnedBy(const json& owner, json object) const;

  // Calls that must succeed; they fail the test otherwise and return null.
  json Create(const kube::Resource& resource, const json& object);
  json Get(const kube::Resource& resource, const std::string& name);
  json Apply(const kube::Resource& resource, const json& object);
  json MergePatch(const kube::Resource& resource, const std::string& name,
                  const std::string& subresource, const json& patch);
  /// As another manager than Roster.
  json PatchBy(const std::string& manager, const kube::Resource& resource, const std::string& name,
               const json& patch);
  void Delete(const kube::Resource& resource, const std::string& name);
  /// The current state's version, of a list in the test's namespace.
  uint64_t VersionOf(const kube::Resource& resource);
  /// Turns the entry that a POST left in managedFields into one of Apply, as Roster does before it
  /// first applies.
  json TurnIntoApply(const kube::Resource& resource, const std::string& name);

  /// A request as the client would send it, and the answer as it is.
  kube::Response Raw(const std::string& method, const std::string& target,
                     const std::string& content_type = {}, const std::string& body = {});
  static json BodyOf(const kube::Response& response) {
    return json::parse(response.body, nullptr, false);
  }

  /// Names of all items of a list.
  std::vector<std::string> NamesOf(const kube::Resource& resource, kube::ListOptions options);
  /// The first `n` events of a watch of the test's namespace. Fewer if the server ends the watch
  /// before.
  std::vector<WatchEvent> Watch(const kube::Resource& resource, kube::WatchOptions options,
                                size_t n);

  /// Until `condition` holds; false if it does not within a minute.
  bool Eventually(const std::function<bool()>& condition);

  kube::Client& client() { return *client_; }
  const std::string& ns() const { return ns_; }

 private:
  static std::unique_ptr<Environment> environment_;
  static std::unique_ptr<kube::Client> client_;
  std::string ns_;
};

// How events and objects read in assertions.
std::string Describe(const WatchEvent& event);  ///< "ADDED a"
std::vector<std::string> Describe(const std::vector<WatchEvent>& events);
uint64_t Version(const json& object);
int64_t Generation(const json& object);
std::string Uid(const json& object);
/// Values of an object's `metadata.managedFields` entry, "MANAGER/OPERATION[/SUBRESOURCE]", sorted.
std::vector<std::string> Managers(const json& object);
/// The fields that a Status names as causes, sorted and each once.
std::vector<std::string> CauseFields(const json& status);
const json& MainContainer(const json& deployment);
std::vector<std::string> EnvNames(const json& deployment);  ///< Sorted.
std::vector<std::string> KeysOf(const json& object);

}  // namespace roster::conformance
