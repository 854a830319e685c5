#include "api/children.h"

#include <fmt/format.h>

#include <cctype>

#include "api/json.h"
#include "api/names.h"

namespace roster::api {
namespace {

std::string LabelOf(const json& object, std::string_view key) {
  const json* labels = FindObject(object.at("metadata"), "labels");
  return labels ? StringOr(*labels, key) : std::string();
}

std::string AnnotationOf(const json& object, std::string_view key) {
  const json* annotations = FindObject(object.at("metadata"), "annotations");
  return annotations ? StringOr(*annotations, key) : std::string();
}

// What Roster writes, key by key. Others may add keys under the same prefix, and no apply of ours
// would take them away again: as drift they would never end.
bool OwnedKey(std::string_view key) {
  return key == label::kManagedBy || key == label::kAppName || key == label::kAgentUid ||
         key == label::kType || key == annotation::kIntentHash;
}

// Each part is preceded by its length, so that no two different lists of parts hash alike.
uint64_t Mix(uint64_t hash, std::string_view text) {
  return StableHash(text, StableHash(fmt::format("{}:", text.size()), hash));
}

uint64_t MixOwned(uint64_t hash, const json* map) {
  if (map == nullptr) return hash;
  for (const auto& [key, value] : map->get_ref<const json::object_t&>()) {
    if (OwnedKey(key)) hash = Mix(Mix(hash, key), value.get_ref<const std::string&>());
  }
  return hash;
}

int32_t FindUpdateEntry(const json& metadata) {
  const json* entries = FindObjects(metadata, "managedFields");
  if (entries == nullptr) return -1;
  int32_t index = 0;
  for (const json& entry : *entries) {
    if (StringOr(entry, "manager") == kFieldManager && StringOr(entry, "operation") == "Update" &&
        StringOr(entry, "subresource").empty()) {
      return index;
    }
    ++index;
  }
  return -1;
}

void ReadChild(const json& object, Child& child) {
  child.meta = ReadMeta(object);
  child.agent_uid = LabelOf(object, label::kAgentUid);
  child.controller = ReadController(object);
  child.intent_hash = AnnotationOf(object, annotation::kIntentHash);
  child.update_entry = FindUpdateEntry(object.at("metadata"));
}

// The end of what a container left behind as its last words; the end, because that is where an
// error stands. At most 300 bytes.
std::string LastWords(const json& ended) {
  constexpr size_t kMaxWords = 300;
  std::string words = StringOr(ended, "message");
  while (!words.empty() && std::isspace(static_cast<unsigned char>(words.back())) != 0) {
    words.pop_back();
  }
  if (words.size() <= kMaxWords) return words;
  size_t begin = words.size() - kMaxWords;
  while (begin < words.size() && (static_cast<unsigned char>(words[begin]) & 0xc0U) == 0x80U) {
    ++begin;  // not inside a character
  }
  return "..." + words.substr(begin);
}

std::string DescribeExit(const json& container, const json& ended, std::string_view verb) {
  const std::string words = LastWords(ended);
  return fmt::format("container {} {} {} (exit code {}){}{}", StringOr(container, "name"), verb,
                     StringOr(ended, "reason", "Error"), IntOr(ended, "exitCode"),
                     words.empty() ? "" : ": ", words);
}

// Collects what the containers of a pod say, init containers first.
class ContainerReader {
 public:
  explicit ContainerReader(Pod& pod) : pod_(pod) {}

  void Read(const json& container, bool init) {
    pod_.restarts += static_cast<int32_t>(IntOr(container, "restartCount"));
    if (const json* last = FindObject(container, "lastState")) {
      if (const json* ended = FindObject(*last, "terminated")) NoteExit(container, *ended);
    }
    const json* state = FindObject(container, "state");
    if (state == nullptr) return;
    if (const json* waiting = FindObject(*state, "waiting")) {
      const std::string why = StringOr(*waiting, "reason");
      if (why.empty() || why == "ContainerCreating" || why == "PodInitializing") return;
      NoteProblem(why, fmt::format("container {}: {}", StringOr(container, "name"),
                                   StringOr(*waiting, "message", why)));
    } else if (const json* ended = FindObject(*state, "terminated")) {
      const bool completed =
          IntOr(*ended, "exitCode") == 0 && StringOr(*ended, "reason", "Completed") == "Completed";
      if (!completed || !init) NoteExit(container, *ended);
      if (completed) return;
      NoteProblem(StringOr(*ended, "reason", "Error"),
                  DescribeExit(container, *ended, "ended with"));
    }
  }

 private:
  // The first container that has a problem speaks for the pod.
  void NoteProblem(std::string_view why, std::string message) {
    if (!pod_.problem.empty()) return;
    pod_.problem = why;
    pod_.problem_message = std::move(message);
  }

  // The latest end counts, whichever container's it is.
  void NoteExit(const json& container, const json& ended) {
    const auto finished = ParseTime(StringOr(ended, "finishedAt"));
    const WallTime at = finished ? *finished : WallTime{};
    if (!pod_.last_exit.empty() && at <= latest_exit_) return;
    latest_exit_ = at;
    pod_.last_exit = DescribeExit(container, ended, "last ended with");
  }

  Pod& pod_;
  WallTime latest_exit_{};
};

void ReadPodConditions(const json& status, Pod& pod) {
  const json* conditions = FindObjects(status, "conditions");
  if (conditions == nullptr) return;
  for (const json& condition : *conditions) {
    const std::string type = StringOr(condition, "type");
    const std::string value = StringOr(condition, "status");
    if (type == "Ready") {
      pod.ready = value == "True";
      if (const auto since = ParseTime(StringOr(condition, "lastTransitionTime")))
        pod.ready_since = *since;
    } else if (type == "PodScheduled" && value == "False") {
      pod.problem = StringOr(condition, "reason", reason::kUnschedulable);
      pod.problem_message = StringOr(condition, "message");
    }
  }
}

}  // namespace

uint64_t OwnedMetadataHash(const json& object) {
  const json& metadata = object.at("metadata");
  const uint64_t labels = MixOwned(StableHash("labels"), FindMember(metadata, "labels"));
  return MixOwned(StableHash("annotations", labels), FindMember(metadata, "annotations"));
}

uint64_t OwnedServiceHash(const json& object) {
  uint64_t hash = OwnedMetadataHash(object);
  const json& spec = object.at("spec");
  if (const json* selector = FindObject(spec, "selector")) {
    for (const auto& [key, value] : selector->items())
      hash = Mix(Mix(hash, key), value.get_ref<const std::string&>());
  }
  hash = Mix(hash, StringOr(spec, "type", "ClusterIP"));
  if (const json* ports = FindObjects(spec, "ports")) {
    for (const json& port : *ports) {
      if (StringOr(port, "name") != kPortName) continue;  // another's, which no apply takes away
      const json* target = FindMember(port, "targetPort");
      hash = Mix(hash,
                 fmt::format("{}|{}|{}|{}", StringOr(port, "name"), IntOr(port, "port"),
                             target ? DumpJson(*target) : "", StringOr(port, "protocol", "TCP")));
    }
  }
  return hash;
}

Result<Deployment> ParseDeployment(const json& object) {
  return Guard<Deployment>(object, "Deployment", [](const json& o) {
    Deployment deployment;
    ReadChild(o, deployment);
    deployment.owned_hash = OwnedMetadataHash(o);
    deployment.replicas = static_cast<int32_t>(IntOr(o.at("spec"), "replicas", 1));
    const json* status = FindObject(o, "status");
    if (status == nullptr) return deployment;
    const auto count = [&](const char* key) { return static_cast<int32_t>(IntOr(*status, key)); };
    deployment.observed_generation = IntOr(*status, "observedGeneration");
    deployment.current_replicas = count("replicas");
    deployment.updated_replicas = count("updatedReplicas");
    deployment.ready_replicas = count("readyReplicas");
    deployment.available_replicas = count("availableReplicas");
    if (const json* conditions = FindObjects(*status, "conditions")) {
      for (const json& condition : *conditions) {
        const std::string type = StringOr(condition, "type");
        const std::string value = StringOr(condition, "status");
        auto words = std::pair(StringOr(condition, "reason"), StringOr(condition, "message"));
        if (type == "ReplicaFailure" && value == "True")
          deployment.replica_failure = std::move(words);
        if (type == "Progressing" && value == "False")
          deployment.not_progressing = std::move(words);
      }
    }
    return deployment;
  });
}

Result<Service> ParseService(const json& object) {
  return Guard<Service>(object, "Service", [](const json& o) {
    Service service;
    ReadChild(o, service);
    service.owned_hash = OwnedServiceHash(o);
    const json* selector = FindObject(o.at("spec"), "selector");
    service.paused = selector != nullptr && FindMember(*selector, label::kPaused) != nullptr;
    return service;
  });
}

Result<Pod> ParsePod(const json& object) {
  return Guard<Pod>(object, "Pod", [](const json& o) {
    Pod pod;
    pod.meta = ReadMeta(o);
    pod.agent_uid = LabelOf(o, label::kAgentUid);
    pod.template_hash = LabelOf(o, "pod-template-hash");
    const json* status = FindObject(o, "status");
    if (status == nullptr) return pod;
    pod.phase = StringOr(*status, "phase");
    constexpr std::string_view kInitStatuses = "initContainerStatuses";
    ContainerReader reader(pod);
    for (const std::string_view list : {kInitStatuses, std::string_view("containerStatuses")}) {
      const json* containers = FindObjects(*status, list);
      if (containers == nullptr) continue;
      for (const json& container : *containers) reader.Read(container, list == kInitStatuses);
    }
    ReadPodConditions(*status, pod);
    if (pod.problem.empty() && pod.phase == "Failed") {
      pod.problem = StringOr(*status, "reason", "Failed");
      pod.problem_message = StringOr(*status, "message");
    }
    return pod;
  });
}

}  // namespace roster::api
