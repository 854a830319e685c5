// What Roster reads of the objects it makes for an Agent, and of the pods that come of them: enough
// to see drift and to judge life, and nothing else, because there is one of each per Agent.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/result.h"

namespace roster::api {

/// What every child has in common.
struct Child {
  ObjectMeta meta;
  std::string agent_uid;     ///< Label agentroster.dev/agent-uid.
  ControllerRef controller;  ///< Its controller owner.
  std::string intent_hash;   ///< Annotation agentroster.dev/intent-hash.
  /// Hash of the labels and annotations that are Roster's (metadata does not move the generation)
  /// and, for a Service, of the spec fields that are Roster's (a Service has no generation).
  uint64_t owned_hash = 0;
  /// Index in metadata.managedFields of the entry that the first POST left (manager roster,
  /// operation Update); -1 if there is none. While there is one, a later apply could remove none of
  /// its fields.
  int32_t update_entry = -1;
};

struct Deployment : Child {
  int32_t replicas = 0;  ///< spec.replicas.
  int64_t observed_generation = 0;
  int32_t current_replicas = 0;  ///< status.replicas.
  int32_t updated_replicas = 0;
  int32_t ready_replicas = 0;
  int32_t available_replicas = 0;
  /// The Deployment controller could not make a pod (quota, pod security, missing ServiceAccount):
  /// reason and message.
  std::optional<std::pair<std::string, std::string>> replica_failure;
  /// Set when Progressing is False: reason and message.
  std::optional<std::pair<std::string, std::string>> not_progressing;
};

struct Service : Child {
  bool paused = false;  ///< Its selector carries agentroster.dev/paused.
};

struct Pod {
  ObjectMeta meta;
  std::string agent_uid;
  std::string template_hash;  ///< Label pod-template-hash: which revision it belongs to.
  std::string phase;
  bool ready = false;
  WallTime ready_since{};  ///< When `ready` last changed.
  int32_t restarts = 0;    ///< Over all containers.
  /// Why it cannot run: a container's waiting reason, Unschedulable, or how it ended; empty if
  /// nothing is wrong.
  std::string problem;
  std::string problem_message;
  /// How a container ended last, if any did: "container agent last ended with OOMKilled (exit code
  /// 137)", and its last words. While a container crashes again and again this reads the same
  /// before, during and after its waiting.
  std::string last_exit;
};

Result<Deployment> ParseDeployment(const nlohmann::json& object);
Result<Service> ParseService(const nlohmann::json& object);
Result<Pod> ParsePod(const nlohmann::json& object);

/// The owned_hash that an object of this manifest has, so that an intent and what is observed
/// compare.
uint64_t OwnedMetadataHash(const nlohmann::json& object);
uint64_t OwnedServiceHash(const nlohmann::json& object);

}  // namespace roster::api
