#include "conformance/api_conformance.h"

#include <algorithm>
#include <random>
#include <set>

#include "api/json.h"
#include "api/names.h"

namespace roster::conformance {
namespace {

constexpr kube::Resource kNamespaces{"", "v1", "namespaces", "Namespace"};

const std::stop_token kNever;

// Tests of several runs may share a server.
std::string FreshNamespace() {
  static std::random_device device;
  static int count = 0;
  return "conformance-" + std::to_string(device() % 1'000'000'000) + "-" + std::to_string(++count);
}

template <class T>
T OrFail(Result<T> result, const std::string& what) {
  if (result) return *std::move(result);
  ADD_FAILURE() << what << ": " << ToString(result.error().kind) << ": " << result.error().message;
  return T();
}

}  // namespace

std::unique_ptr<Environment> ApiConformance::environment_;
std::unique_ptr<kube::Client> ApiConformance::client_;

void ApiConformance::SetUpTestSuite() {
  environment_ = MakeEnvironment();
  client_ = std::make_unique<kube::Client>(environment_->transport());
}

void ApiConformance::TearDownTestSuite() {
  client_.reset();
  environment_.reset();
}

void ApiConformance::SetUp() {
  ns_ = FreshNamespace();
  const json object = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns_}}}};
  OrFail(client_->Create(kNamespaces, "", object, kNever), "creating namespace " + ns_);
}

void ApiConformance::TearDown() {
  const Status deleted = client_->Delete(kNamespaces, {"", ns_}, {}, kNever);
  EXPECT_TRUE(deleted) << "namespace " << ns_ << " stays behind: " << deleted.error().message;
}

json ApiConformance::Agent(const std::string& name) const {
  return {{"apiVersion", "agentroster.dev/v1alpha1"},
          {"kind", "Agent"},
          {"metadata", {{"name", name}, {"namespace", ns_}}},
          {"spec", {{"type", "research"}, {"workload", {{"image", "registry.example/agent:1"}}}}}};
}

json ApiConformance::Deployment(const std::string& name) const {
  const json labels = {{"app.kubernetes.io/managed-by", "roster"},
                       {"app.kubernetes.io/name", name}};
  const json container = {
      {"name", "agent"},
      {"image", "registry.example/agent:1"},
      {"args", {"--first", "--second"}},
      {"env", {{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "2"}}}},
      {"ports",
       {{{"name", "http"}, {"containerPort", 8000}},
        {{"name", "admin"}, {"containerPort", 8001}}}}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata",
           {{"name", name},
            {"namespace", ns_},
            {"labels",
             {{"app.kubernetes.io/managed-by", "roster"},
              {"app.kubernetes.io/name", name},
              {"extra", "1"}}},
            {"annotations", {{"agentroster.dev/intent-hash", "1"}, {"extra", "1"}}}}},
          {"spec",
           {{"replicas", 0},
            {"selector", {{"matchLabels", labels}}},
            {"template",
             {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", {container}}}}}}}}};
}

json ApiConformance::Service(const std::string& name) const {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata",
           {{"name", name},
            {"namespace", ns_},
            {"labels", {{"app.kubernetes.io/managed-by", "roster"}}}}},
          {"spec",
           {{"selector", {{"app.kubernetes.io/name", name}}},
            {"ports", {{{"name", "http"}, {"port", 8000}, {"targetPort", 8000}}}}}}};
}

json ApiConformance::OwnedBy(const json& owner, json object) const {
  object["metadata"]["ownerReferences"] = {{{"apiVersion", owner["apiVersion"]},
                                            {"kind", owner["kind"]},
                                            {"name", owner["metadata"]["name"]},
                                            {"uid", owner["metadata"]["uid"]},
                                            {"controller", true}}};
  return object;
}

json ApiConformance::Create(const kube::Resource& resource, const json& object) {
  return OrFail(client_->Create(resource, ns_, object, kNever), "create");
}

json ApiConformance::Get(const kube::Resource& resource, const std::string& name) {
  return OrFail(client_->Get(resource, Key(name), kNever), "get " + name);
}

json ApiConformance::Apply(const kube::Resource& resource, const json& object) {
  return OrFail(client_->Apply(resource, Key(object["metadata"]["name"]), object, kNever), "apply");
}

json ApiConformance::MergePatch(const kube::Resource& resource, const std::string& name,
                                const std::string& subresource, const json& patch) {
  return OrFail(client_->MergePatch(resource, Key(name), subresource, patch, kNever),
                "patch " + name);
}

json ApiConformance::PatchBy(const std::string& manager, const kube::Resource& resource,
                             const std::string& name, const json& patch) {
  const kube::Response response =
      Raw("PATCH", resource.Path(ns_, name) + "?fieldManager=" + manager,
          "application/merge-patch+json", patch.dump());
  EXPECT_EQ(response.status, 200) << response.body;
  return BodyOf(response);
}

void ApiConformance::Delete(const kube::Resource& resource, const std::string& name) {
  const Status deleted = client_->Delete(resource, Key(name), {}, kNever);
  EXPECT_TRUE(deleted) << deleted.error().message;
}

uint64_t ApiConformance::VersionOf(const kube::Resource& resource) {
  kube::ListOptions options;
  options.ns = ns_;
  return OrFail(client_->List(resource, options, [](json&&) {}, kNever), "list").resource_version;
}

json ApiConformance::TurnIntoApply(const kube::Resource& resource, const std::string& name) {
  json patched;
  // The Deployment controller writes too, and then the test of the version fails: read again.
  const bool done = Eventually([&] {
    const json object = Get(resource, name);
    const json& entries = object["metadata"]["managedFields"];
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i]["manager"] != "roster" || entries[i]["operation"] != "Update") continue;
      const json operations = {
          {{"op", "test"},
           {"path", "/metadata/resourceVersion"},
           {"value", object["metadata"]["resourceVersion"]}},
          {{"op", "replace"},
           {"path", "/metadata/managedFields/" + std::to_string(i) + "/operation"},
           {"value", "Apply"}}};
      auto result = client_->JsonPatch(resource, Key(name), operations, kNever);
      if (result) patched = *std::move(result);
      return result.ok();
    }
    return false;
  });
  EXPECT_TRUE(done) << "no entry roster/Update to turn into roster/Apply";
  return patched;
}

kube::Response ApiConformance::Raw(const std::string& method, const std::string& target,
                                   const std::string& content_type, const std::string& body) {
  kube::Request request;
  request.method = method;
  request.target = target;
  request.content_type = content_type;
  request.body = body;
  return OrFail(environment_->transport().Send(request, kNever), method + " " + target);
}

std::vector<std::string> ApiConformance::NamesOf(const kube::Resource& resource,
                                                 kube::ListOptions options) {
  options.ns = ns_;
  std::vector<std::string> names;
  OrFail(client_->List(
             resource, options, [&](json&& item) { names.push_back(item["metadata"]["name"]); },
             kNever),
         "list");
  return names;
}

std::vector<WatchEvent> ApiConformance::Watch(const kube::Resource& resource,
                                              kube::WatchOptions options, size_t n) {
  options.ns = ns_;
  options.server_timeout = std::chrono::seconds(5);
  std::vector<WatchEvent> events;
  OrFail(client_->Watch(
             resource, options,
             [&](WatchEvent&& event) {
               events.push_back(std::move(event));
               return events.size() < n;
             },
             kNever),
         "watch");
  return events;
}

bool ApiConformance::Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    environment_->LetOthersWork();
  }
  return false;
}

std::string Describe(const WatchEvent& event) {
  static constexpr const char* kNames[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
  const std::string type = kNames[static_cast<int>(event.type)];
  if (event.type == WatchEventType::kBookmark || event.type == WatchEventType::kError) return type;
  return type + " " + event.object["metadata"]["name"].get<std::string>();
}

std::vector<std::string> Describe(const std::vector<WatchEvent>& events) {
  std::vector<std::string> described;
  for (const WatchEvent& event : events) described.push_back(Describe(event));
  return described;
}

uint64_t Version(const json& object) {
  return std::stoull(object["metadata"].value("resourceVersion", "0"));
}

int64_t Generation(const json& object) {
  return object["metadata"].value("generation", int64_t{0});
}

std::string Uid(const json& object) {
  return object["metadata"].value("uid", "");
}

std::vector<std::string> Managers(const json& object) {
  std::vector<std::string> managers;
  for (const json& entry : object["metadata"].value("managedFields", json::array())) {
    std::string manager =
        entry["manager"].get<std::string>() + "/" + entry["operation"].get<std::string>();
    if (entry.contains("subresource")) manager += "/" + entry["subresource"].get<std::string>();
    managers.push_back(std::move(manager));
  }
  std::sort(managers.begin(), managers.end());
  return managers;
}

std::vector<std::string> CauseFields(const json& status) {
  std::set<std::string> fields;
  const json details = status.value("details", json::object());
  for (const json& cause : details.value("causes", json::array()))
    fields.insert(cause.value("field", ""));
  return {fields.begin(), fields.end()};
}

const json& MainContainer(const json& deployment) {
  return deployment.at("spec").at("template").at("spec").at("containers").at(0);
}

std::vector<std::string> EnvNames(const json& deployment) {
  std::vector<std::string> names;
  for (const json& entry : MainContainer(deployment).value("env", json::array()))
    names.push_back(entry["name"]);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> KeysOf(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

}  // namespace roster::conformance
