#include "fakes/crd_schema.h"

#include <fmt/format.h>
#include <regex.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "api/json.h"

namespace roster::fake {
namespace {

using api::FindMember;

json OfScalar(const YAML::Node& node) {
  // A quoted scalar has the tag "!" and is a string whatever it looks like.
  if (node.Tag() == "!") return node.Scalar();
  int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  if (YAML::convert<int64_t>::decode(node, integer)) return integer;
  if (YAML::convert<double>::decode(node, number)) return number;
  const std::string& text = node.Scalar();
  if ((text == "true" || text == "false") && YAML::convert<bool>::decode(node, boolean))
    return boolean;
  return text;
}

json OfNode(const YAML::Node& node) {
  if (node.IsScalar()) return OfScalar(node);
  if (node.IsSequence()) {
    json list = json::array();
    for (const YAML::Node& item : node) list.push_back(OfNode(item));
    return list;
  }
  if (node.IsMap()) {
    json object = json::object();
    for (const auto& entry : node) object[entry.first.Scalar()] = OfNode(entry.second);
    return object;
  }
  return nullptr;
}

std::string_view TypeOf(const json& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  return value.is_number() ? "number" : "null";
}

bool HasType(const json& value, const json& schema) {
  if (schema.contains("x-kubernetes-int-or-string"))
    return value.is_string() || value.is_number_integer();
  const json* type = FindMember(schema, "type");
  if (type == nullptr || *type == TypeOf(value)) return true;
  return *type == "number" && value.is_number();
}

std::string Child(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

const json* SchemaOf(const json& schema, const std::string& key) {
  if (const json* properties = FindMember(schema, "properties")) {
    if (const json* property = FindMember(*properties, key)) return property;
  }
  return FindMember(schema, "additionalProperties");
}

}  // namespace

json JsonOfYaml(const std::string& text) {
  return OfNode(YAML::Load(text));
}

const json& AgentDefinition() {
  static const json definition = [] {
    std::ifstream file(ROSTER_CRD_FILE);
    if (!file) throw std::runtime_error(std::string("cannot read ") + ROSTER_CRD_FILE);
    std::ostringstream text;
    text << file.rdbuf();
    try {
      return JsonOfYaml(text.str());
    } catch (const YAML::Exception& e) {
      throw std::runtime_error(std::string(ROSTER_CRD_FILE) + ": " + e.what());
    }
  }();
  return definition;
}

// POSIX's matcher: std::regex recurses for every character.
class CrdSchema::Pattern {
 public:
  explicit Pattern(std::string source) {
    // Of what the schema uses only this is no POSIX; it stands inside brackets.
    for (size_t at = source.find("\\s"); at != std::string::npos; at = source.find("\\s", at)) {
      source.replace(at, 2, "[:space:]");
    }
    if (regcomp(&compiled_, source.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
      throw std::runtime_error("no regular expression: " + source);
    }
  }
  ~Pattern() { regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool Matches(const std::string& text) const {
    return regexec(&compiled_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_;
};

CrdSchema::CrdSchema(const json& definition)
    : schema_(definition.at("spec").at("versions").at(0).at("schema").at("openAPIV3Schema")) {
  // The server's own: valid for every object.
  schema_["properties"].erase("metadata");
}

CrdSchema::~CrdSchema() = default;

const CrdSchema::Pattern& CrdSchema::PatternOf(const std::string& source) const {
  std::unique_ptr<Pattern>& pattern = patterns_[source];
  if (!pattern) pattern = std::make_unique<Pattern>(source);
  return *pattern;
}

void CrdSchema::Default(json& object) const {
  DefaultNode(object, schema_);
}

void CrdSchema::DefaultNode(json& value, const json& schema) const {
  if (value.is_object()) {
    if (const json* properties = FindMember(schema, "properties")) {
      for (const auto& [key, property] : properties->items()) {
        if (!value.contains(key) && property.contains("default"))
          value[key] = property.at("default");
      }
    }
    for (auto& [key, child] : value.items()) {
      if (const json* below = SchemaOf(schema, key); below != nullptr && below->is_object())
        DefaultNode(child, *below);
    }
  } else if (value.is_array()) {
    if (const json* items = FindMember(schema, "items")) {
      for (json& item : value) DefaultNode(item, *items);
    }
  }
}

void CrdSchema::Prune(json& object) const {
  const json metadata = object.value("metadata", json::object());
  PruneNode(object, schema_);
  object["metadata"] = metadata;
}

void CrdSchema::PruneNode(json& value, const json& schema) const {
  if (schema.contains("x-kubernetes-preserve-unknown-fields")) return;
  if (value.is_object()) {
    for (auto entry = value.begin(); entry != value.end();) {
      const json* below = SchemaOf(schema, entry.key());
      if (below == nullptr || entry->is_null()) {
        entry = value.erase(entry);
        continue;
      }
      if (below->is_object()) PruneNode(*entry, *below);
      ++entry;
    }
  } else if (value.is_array()) {
    if (const json* items = FindMember(schema, "items")) {
      for (json& item : value) PruneNode(item, *items);
    }
  }
}

std::vector<Cause> CrdSchema::Validate(const json& object) const {
  std::vector<Cause> causes;
  ValidateNode(object, schema_, "", causes);
  return causes;
}

void CrdSchema::ValidateNode(const json& value, const json& schema, const std::string& path,
                             std::vector<Cause>& causes) const {
  if (!HasType(value, schema)) {
    causes.push_back(
        {"FieldValueTypeInvalid",
         fmt::format("Invalid value: \"{}\": {} in body must be of type {}: \"{}\"", TypeOf(value),
                     path, schema.value("type", "integer or string"), TypeOf(value)),
         path});
  } else if (value.is_object()) {
    ValidateObject(value, schema, path, causes);
  } else if (value.is_array()) {
    const json* most = FindMember(schema, "maxItems");
    if (most != nullptr && value.size() > most->get<size_t>()) {
      causes.push_back({"FieldValueTooMany",
                        fmt::format("Too many: {}: must have at most {} items", value.size(),
                                    most->get<size_t>()),
                        path});
    }
    if (const json* items = FindMember(schema, "items")) {
      for (size_t i = 0; i < value.size(); ++i)
        ValidateNode(value[i], *items, fmt::format("{}[{}]", path, i), causes);
    }
  } else {
    ValidateScalar(value, schema, path, causes);
  }
}

void CrdSchema::ValidateObject(const json& value, const json& schema, const std::string& path,
                               std::vector<Cause>& causes) const {
  if (const json* required = FindMember(schema, "required")) {
    for (const json& name : *required) {
      if (!value.contains(name.get<std::string>())) {
        causes.push_back(
            {"FieldValueRequired", "Required value", Child(path, name.get<std::string>())});
      }
    }
  }
  const json* most = FindMember(schema, "maxProperties");
  if (most != nullptr && value.size() > most->get<size_t>()) {
    causes.push_back(
        {"FieldValueTooMany",
         fmt::format("Too many: {}: must have at most {} items", value.size(), most->get<size_t>()),
         path});
  }
  for (const auto& [key, child] : value.items()) {
    const json* below = SchemaOf(schema, key);
    if (below != nullptr && below->is_object())
      ValidateNode(child, *below, Child(path, key), causes);
  }
}

void CrdSchema::ValidateScalar(const json& value, const json& schema, const std::string& path,
                               std::vector<Cause>& causes) const {
  const auto refuse = [&](const std::string& why) {
    causes.push_back({"FieldValueInvalid",
                      fmt::format("Invalid value: {}: {} in body {}", value.dump(), path, why),
                      path});
  };
  if (const json* allowed = FindMember(schema, "enum")) {
    bool found = false;
    std::string list;
    for (const json& one : *allowed) {
      found = found || one == value;
      list += (list.empty() ? "" : ", ") + one.dump();
    }
    if (!found) {
      causes.push_back(
          {"FieldValueNotSupported",
           fmt::format("Unsupported value: {}: supported values: {}", value.dump(), list), path});
    }
  }
  if (value.is_number()) {
    const json* least = FindMember(schema, "minimum");
    const json* most = FindMember(schema, "maximum");
    if (least != nullptr && value < *least)
      refuse("should be greater than or equal to " + least->dump());
    if (most != nullptr && value > *most) refuse("should be less than or equal to " + most->dump());
  }
  if (!value.is_string()) return;
  const std::string& text = value.get_ref<const std::string&>();
  const json* longest = FindMember(schema, "maxLength");
  if (longest != nullptr && text.size() > longest->get<size_t>()) {
    causes.push_back(
        {"FieldValueTooLong",
         fmt::format("Too long: may not be more than {} bytes", longest->get<size_t>()), path});
  }
  if (const json* pattern = FindMember(schema, "pattern")) {
    const std::string& source = pattern->get_ref<const std::string&>();
    if (!PatternOf(source).Matches(text)) refuse(fmt::format("should match '{}'", source));
  }
}

}  // namespace roster::fake
