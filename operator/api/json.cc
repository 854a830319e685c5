#include "api/json.h"

#include <fmt/format.h>

#include <charconv>

namespace roster::api {

Result<json> ParseJson(std::string_view text) {
  bool too_deep = false;
  const json::parser_callback_t cap = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return !too_deep;  // What is too deep is dropped while parsing, so that it is never built.
  };
  try {
    json value = json::parse(text, cap);
    if (too_deep) {
      return Error{ErrorKind::kMalformed,
                   fmt::format("JSON nested deeper than {} levels", kMaxJsonDepth)};
    }
    return value;
  } catch (const json::exception& e) {
    return Error{ErrorKind::kMalformed, e.what()};
  }
}

std::string DumpJson(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

uint64_t StableHash(std::string_view text, uint64_t seed) {
  uint64_t hash = seed;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

const json* FindMember(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

const json* FindObject(const json& object, std::string_view key) {
  const json* member = FindMember(object, key);
  if (member != nullptr) member->get_ref<const json::object_t&>();  // throws if it is none
  return member;
}

const json* FindObjects(const json& object, std::string_view key) {
  const json* member = FindMember(object, key);
  if (member == nullptr) return nullptr;
  for (const json& element : member->get_ref<const json::array_t&>()) {
    element.get_ref<const json::object_t&>();
  }
  return member;
}

std::string StringOr(const json& object, std::string_view key, std::string_view fallback) {
  const json* member = FindMember(object, key);
  return member ? member->get<std::string>() : std::string(fallback);
}

int64_t IntOr(const json& object, std::string_view key, int64_t fallback) {
  const json* member = FindMember(object, key);
  return member ? member->get<int64_t>() : fallback;
}

bool BoolOr(const json& object, std::string_view key, bool fallback) {
  const json* member = FindMember(object, key);
  return member ? member->get<bool>() : fallback;
}

StringMap ReadStringMap(const json* object) {
  StringMap map;
  if (object == nullptr) return map;
  map.reserve(object->size());
  for (const auto& [key, value] : object->get_ref<const json::object_t&>()) {
    map.emplace_back(key, value.get<std::string>());
  }
  return map;  // nlohmann keeps keys sorted
}

ObjectMeta ReadMeta(const json& object) {
  const json& meta = object.at("metadata");
  ObjectMeta result;
  result.ns = StringOr(meta, "namespace");
  result.name = meta.at("name").get<std::string>();
  result.uid = StringOr(meta, "uid");
  result.generation = IntOr(meta, "generation");
  result.deleting = FindMember(meta, "deletionTimestamp") != nullptr;
  const std::string version = StringOr(meta, "resourceVersion");
  std::from_chars(version.data(), version.data() + version.size(), result.resource_version);
  if (const auto created = ParseTime(StringOr(meta, "creationTimestamp")))
    result.creation_time = *created;
  return result;
}

ControllerRef ReadController(const json& object) {
  if (const json* owners = FindObjects(object.at("metadata"), "ownerReferences")) {
    for (const json& owner : *owners) {
      if (BoolOr(owner, "controller")) {
        return {StringOr(owner, "kind"), StringOr(owner, "name"), StringOr(owner, "uid")};
      }
    }
  }
  return {};
}

std::string DescribeObject(const json& object, std::string_view kind) {
  const auto text = [&](const char* key) -> std::string {
    const json* meta = FindMember(object, "metadata");
    const json* member = meta ? FindMember(*meta, key) : nullptr;
    return member && member->is_string() ? member->get<std::string>() : "?";
  };
  return fmt::format("{} {}/{} at version {} cannot be understood", kind, text("namespace"),
                     text("name"), text("resourceVersion"));
}

}  // namespace roster::api
