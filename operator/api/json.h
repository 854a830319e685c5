// JSON for the rest of the program: parsing with limits, printing that cannot throw, and a stable
// hash.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "api/meta.h"
#include "base/result.h"

namespace roster::api {

using nlohmann::json;

/// nlohmann's parser does not recurse but its printing and copying do, so nothing deeper gets in.
inline constexpr int kMaxJsonDepth = 100;

/// Errors: kMalformed, with the position; also for documents nested deeper than kMaxJsonDepth.
Result<json> ParseJson(std::string_view text);

/// Invalid UTF-8 is replaced, never thrown at.
std::string DumpJson(const json& value);

/// FNV-1a, 64 bits: stable over versions and machines, because it is written into objects.
uint64_t StableHash(std::string_view text, uint64_t seed = 0xcbf29ce484222325ULL);

// Readers that take what is absent for the default and let json::exception pass for what has the
// wrong type; the Parse functions of this room turn that into kMalformed.
const json* FindMember(const json& object, std::string_view key);
/// As FindMember, for a member that is an object, or a list of objects.
const json* FindObject(const json& object, std::string_view key);
const json* FindObjects(const json& object, std::string_view key);
std::string StringOr(const json& object, std::string_view key, std::string_view fallback = {});
int64_t IntOr(const json& object, std::string_view key, int64_t fallback = 0);
bool BoolOr(const json& object, std::string_view key, bool fallback = false);
StringMap ReadStringMap(const json* object);
ObjectMeta ReadMeta(const json& object);
ControllerRef ReadController(const json& object);

/// Runs `parse(object)`; json::exception and type confusion become kMalformed with the object's
/// name.
template <class T, class F>
Result<T> Guard(const json& object, std::string_view kind, F&& parse);

}  // namespace roster::api

#include "api/json_inl.h"
