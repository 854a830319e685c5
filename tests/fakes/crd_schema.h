// The structural schema of a CustomResourceDefinition: defaults, pruning and validation, as the API
// server does them.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/status_answer.h"

namespace roster::fake {

/// YAML as JSON; plain scalars are typed by the YAML core schema. Throws std::runtime_error for
/// what is no YAML.
json JsonOfYaml(const std::string& text);
/// The project's own CustomResourceDefinition, crds/agents.agentroster.dev.yaml. Throws if it
/// cannot be read.
const json& AgentDefinition();

/// Immutable after construction but for a cache of regular expressions: not thread-safe. Rules in
/// CEL (x-kubernetes-validations) are not evaluated: a test that needs them runs on a real server.
class CrdSchema {
 public:
  /// Of the first version of `definition`.
  explicit CrdSchema(const json& definition);
  ~CrdSchema();

  /// Fills in defaults below `object`'s own fields.
  void Default(json& object) const;
  /// Drops fields that the schema does not know, and nulls.
  void Prune(json& object) const;
  std::vector<Cause> Validate(const json& object) const;

 private:
  void DefaultNode(json& value, const json& schema) const;
  void PruneNode(json& value, const json& schema) const;
  void ValidateNode(const json& value, const json& schema, const std::string& path,
                    std::vector<Cause>& causes) const;
  void ValidateObject(const json& value, const json& schema, const std::string& path,
                      std::vector<Cause>& causes) const;
  void ValidateScalar(const json& value, const json& schema, const std::string& path,
                      std::vector<Cause>& causes) const;

  class Pattern;
  const Pattern& PatternOf(const std::string& source) const;

  json schema_;
  mutable std::map<std::string, std::unique_ptr<Pattern>> patterns_;
};

}  // namespace roster::fake
