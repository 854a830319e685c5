#include "fakes/api_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "api/json.h"

namespace roster::fake {
namespace {

using api::FindMember;
using api::StringOr;

// etcd's --max-request-bytes, and what a request holds besides the object.
constexpr size_t kMaxStoredBytes = 1536 * 1024;

std::string MetaOf(const json& object, std::string_view field) {
  const json* metadata = FindMember(object, "metadata");
  return metadata ? StringOr(*metadata, field) : std::string();
}

// What no client may change.
void KeepSystemMetadata(const json& live, json& next) {
  for (const char* field : {"name", "namespace", "uid", "creationTimestamp", "generation",
                            "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"}) {
    if (const json* value = FindMember(live.at("metadata"), field)) {
      next["metadata"][field] = *value;
    } else {
      next["metadata"].erase(field);
    }
  }
}

bool SpecChanged(const ResourceType& type, const json& before, const json& after) {
  if (type.custom) {
    const auto rest_of = [](json object) {
      object.erase("metadata");
      object.erase("status");
      return object;
    };
    return rest_of(before) != rest_of(after);
  }
  // The Deployment controller has to see a change of annotations, which it hands on to ReplicaSets.
  if (type.Is(kube::kDeployments) &&
      before.at("metadata").value("annotations", json::object()) !=
          after.at("metadata").value("annotations", json::object())) {
    return true;
  }
  return before.value("spec", json()) != after.value("spec", json());
}

}  // namespace

ApiBackend::ApiBackend(const Clock& clock) : clock_(clock), types_(StandardResourceTypes()) {
  types_.reserve(64);  // So that references survive what tests add.
}

const ResourceType& ApiBackend::TypeOf(const json& object) const {
  for (const ResourceType& type : types_) {
    if (type.kind == StringOr(object, "kind") &&
        type.ApiVersion() == StringOr(object, "apiVersion"))
      return type;
  }
  throw std::logic_error("the fake API server knows no resource of " +
                         StringOr(object, "apiVersion") + ", kind " + StringOr(object, "kind"));
}

const ResourceType& ApiBackend::TypeOf(const kube::Resource& resource) const {
  for (const ResourceType& type : types_) {
    if (type.Is(resource)) return type;
  }
  throw std::logic_error("the fake API server knows no resource " + std::string(resource.plural));
}

ApiBackend::Result ApiBackend::Create(const ResourceType& type, const std::string& ns, json object,
                                      const std::string& manager) {
  if (const std::string kind = StringOr(object, "kind"); kind != type.kind) {
    return Invalid(type, MetaOf(object, "name"),
                   {{"FieldValueInvalid",
                     fmt::format("Invalid value: \"{}\": must be {}", kind, type.kind), "kind"}});
  }
  json& metadata = object["metadata"];
  if (const std::string given = StringOr(metadata, "namespace"); !given.empty() && given != ns) {
    return BadRequest(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (StringOr(metadata, "name").empty()) {
    const std::string prefix = StringOr(metadata, "generateName");
    if (prefix.empty()) {
      return Invalid(type, "",
                     {{"FieldValueRequired", "Required value: name or generateName is required",
                       "metadata.name"}});
    }
    metadata["name"] = fmt::format("{}{:05}", prefix, ++names_);
  }
  if (type.namespaced) metadata["namespace"] = ns;
  if (Find(type, {type.namespaced ? ns : "", StringOr(metadata, "name")})) {
    return AlreadyExists(type, StringOr(metadata, "name"));
  }
  const Writer writer{manager, ""};
  return Insert(type, std::move(object), ManagedFields(), &writer);
}

ApiBackend::Result ApiBackend::Insert(const ResourceType& type, json object, ManagedFields managed,
                                      const Writer* recorded_for) {
  json& metadata = object["metadata"];
  for (const char* field : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
                            "managedFields", "selfLink", "generation"}) {
    metadata.erase(field);
  }
  if (type.has_status) object.erase("status");
  rules_.Normalize(type, object);
  const std::string name = MetaOf(object, "name");
  if (const auto causes = rules_.Validate(type, object, nullptr); !causes.empty())
    return Invalid(type, name, causes);
  // Nobody owns the default of a CRD's status: the fields were written through the resource itself.
  json owned = object;
  if (type.has_status) owned.erase("status");
  if (recorded_for != nullptr)
    managed.RecordUpdate(*recorded_for, type.ApiVersion(), Now(), json::object(), owned);

  object["metadata"]["uid"] = fmt::format("00000000-0000-4000-8000-{:012x}", ++uids_);
  object["metadata"]["creationTimestamp"] = Now();
  if (type.has_generation) object["metadata"]["generation"] = 1;
  if (type.has_status && !object.contains("status")) {
    object["status"] = type.Is(kube::kPods) ? json{{"phase", "Pending"}, {"qosClass", "BestEffort"}}
                                            : json::object();
  }
  managed.Store(object);
  if (object.dump().size() > kMaxStoredBytes) return StorageRequestTooLarge();
  garbage_possible_ = garbage_possible_ || IsOrphan(object);
  if (type.custom && object.contains("status")) status_not_stored_.insert(MetaOf(object, "uid"));
  const api::ObjectKey key{type.namespaced ? MetaOf(object, "namespace") : "", name};
  return Written{201, store_.Write(StorageName(type), key, std::move(object))};
}

ApiBackend::Result ApiBackend::Update(const ResourceType& type, const api::ObjectKey& key,
                                      const Writer& writer, json object) {
  const ObjectPtr live = Find(type, key);
  if (!live) return NotFound(type, key.name);
  if (MetaOf(object, "name") != key.name) {
    return BadRequest(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})",
                    MetaOf(object, "name"), key.name));
  }
  const bool unconditional = MetaOf(object, "resourceVersion").empty();
  if (unconditional && (type.custom || type.Is(kube::kLeases))) {
    return Invalid(type.group, type.plural, key.name,
                   {{"FieldValueInvalid", "Invalid value: 0: must be specified for an update",
                     "metadata.resourceVersion"}});
  }
  const std::string uid = MetaOf(object, "uid");
  if (!uid.empty() && uid != MetaOf(*live, "uid")) {
    return Conflict(
        type, key.name,
        fmt::format("StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{}/{}, "
                    "ResourceVersion: 0, "
                    "AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in "
                    "object meta: {}",
                    type.group, type.plural, key.ns, key.name, uid, MetaOf(*live, "uid")));
  }
  ManagedFields managed = ManagedFields::Of(object, *live);
  return Commit(type, key, writer, live, std::move(object), std::move(managed), false);
}

ApiBackend::Result ApiBackend::MergePatch(const ResourceType& type, const api::ObjectKey& key,
                                          const Writer& writer, const json& patch) {
  const ObjectPtr live = Find(type, key);
  if (!live) return NotFound(type, key.name);
  json next = *live;
  next.merge_patch(patch);
  ManagedFields managed = ManagedFields::Of(next, *live);
  return Commit(type, key, writer, live, std::move(next), std::move(managed), false);
}

ApiBackend::Result ApiBackend::JsonPatch(const ResourceType& type, const api::ObjectKey& key,
                                         const Writer& writer, const json& operations) {
  const ObjectPtr live = Find(type, key);
  if (!live) return NotFound(type, key.name);
  json next;
  try {
    next = live->patch(operations);
  } catch (const json::exception&) {
    return UnappliablePatch();
  }
  ManagedFields managed = ManagedFields::Of(next, *live);
  return Commit(type, key, writer, live, std::move(next), std::move(managed), false);
}

ApiBackend::Result ApiBackend::Apply(const ResourceType& type, const api::ObjectKey& key,
                                     const Writer& writer, const json& intent, bool force) {
  if (StringOr(intent, "kind") != type.kind ||
      StringOr(intent, "apiVersion") != type.ApiVersion()) {
    return BadRequest(fmt::format("invalid object type: {}, Kind={}",
                                  StringOr(intent, "apiVersion", "/"), StringOr(intent, "kind")));
  }
  const json* metadata = FindMember(intent, "metadata");
  if (metadata != nullptr && FindMember(*metadata, "managedFields") != nullptr) {
    return BadRequest("metadata.managedFields must be nil");
  }
  if (MetaOf(intent, "name") != key.name) {
    return BadRequest(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})",
                    MetaOf(intent, "name"), key.name));
  }
  if (writer.manager.empty()) {
    return Invalid(
        "meta.k8s.io", "PatchOptions", "",
        {{"FieldValueRequired", "Required value: is required for apply patch", "fieldManager"}});
  }
  const ObjectPtr live = Find(type, key);
  if (!live) {
    if (const std::string uid = MetaOf(intent, "uid"); !uid.empty()) {
      return Conflict(type, key.name,
                      fmt::format("uid mismatch: the provided object specified uid {}, and no "
                                  "existing object was found",
                                  uid));
    }
    ManagedFields managed;
    json object =
        managed.Apply(writer, type.ApiVersion(), Now(), json::object(), intent, force).object;
    if (type.namespaced) object["metadata"]["namespace"] = key.ns;
    return Insert(type, std::move(object), std::move(managed), nullptr);
  }
  ManagedFields managed = ManagedFields::Of(*live, json::object());
  auto applied = managed.Apply(writer, type.ApiVersion(), Now(), *live, intent, force);
  if (!applied.conflicts.empty()) return ApplyConflict(applied.conflicts);
  return Commit(type, key, writer, live, std::move(applied.object), std::move(managed), true);
}

ApiBackend::Result ApiBackend::Commit(const ResourceType& type, const api::ObjectKey& key,
                                      const Writer& writer, const ObjectPtr& live, json next,
                                      ManagedFields managed, bool recorded) {
  const bool status_only = writer.subresource == "status";
  const std::string version = MetaOf(next, "resourceVersion");
  if (!version.empty() && version != MetaOf(*live, "resourceVersion"))
    return StaleVersion(type, key.name);
  const std::string uid = MetaOf(next, "uid");
  if (!status_only && !uid.empty() && uid != MetaOf(*live, "uid")) {
    // The server says it twice.
    const Cause cause{"FieldValueInvalid",
                      fmt::format("Invalid value: \"{}\": field is immutable", uid),
                      "metadata.uid"};
    return Invalid(type, key.name, {cause, cause});
  }
  if (status_only) {
    json status = next.value("status", json::object());
    json metadata = next.value("metadata", json::object());
    next = *live;
    next["status"] = std::move(status);
    if (type.Is(kube::kDeployments)) {
      // Its controller writes the revision annotation together with the status.
      if (metadata.contains("annotations"))
        next["metadata"]["annotations"] = metadata["annotations"];
    }
  } else if (type.has_status) {
    next["status"] = live->value("status", json::object());
  }
  KeepSystemMetadata(*live, next);
  rules_.Normalize(type, next);
  if (const auto causes = rules_.Validate(type, next, live.get()); !causes.empty())
    return Invalid(type, key.name, causes);
  if (!recorded) managed.RecordUpdate(writer, type.ApiVersion(), Now(), *live, next);
  if (type.has_generation && !status_only && SpecChanged(type, *live, next)) {
    next["metadata"]["generation"] = live->at("metadata").at("generation").get<int64_t>() + 1;
  }
  managed.Store(next);
  const bool first_write = status_not_stored_.erase(MetaOf(*live, "uid")) > 0;
  if (!first_write && ManagedFields::WithoutTimes(*live) == ManagedFields::WithoutTimes(next)) {
    return Written{200, live};
  }
  if (next.dump().size() > kMaxStoredBytes) return StorageRequestTooLarge();
  const json& metadata = next.at("metadata");
  if (metadata.contains("deletionTimestamp") &&
      metadata.value("finalizers", json::array()).empty()) {
    return Written{200, Remove(type, key)};
  }
  return Written{200, store_.Write(StorageName(type), key, std::move(next))};
}

Outcome<ObjectPtr> ApiBackend::Delete(const ResourceType& type, const api::ObjectKey& key,
                                      const Preconditions& preconditions) {
  const ObjectPtr live = Find(type, key);
  if (!live) return NotFound(type, key.name);
  const std::string uid = MetaOf(*live, "uid");
  const std::string version = MetaOf(*live, "resourceVersion");
  if (!preconditions.uid.empty() && preconditions.uid != uid) {
    return PreconditionFailed(type, key.name, "UID", preconditions.uid, uid);
  }
  if (!preconditions.resource_version.empty() && preconditions.resource_version != version) {
    return PreconditionFailed(type, key.name, "ResourceVersion", preconditions.resource_version,
                              version);
  }
  const json& metadata = live->at("metadata");
  if (metadata.value("finalizers", json::array()).empty()) return Remove(type, key);
  if (metadata.contains("deletionTimestamp")) return live;
  json marked = *live;
  marked["metadata"]["deletionTimestamp"] = Now();
  marked["metadata"]["deletionGracePeriodSeconds"] = 0;
  if (type.has_generation)
    marked["metadata"]["generation"] = metadata.at("generation").get<int64_t>() + 1;
  return store_.Write(StorageName(type), key, std::move(marked));
}

ObjectPtr ApiBackend::Remove(const ResourceType& type, const api::ObjectKey& key) {
  garbage_possible_ = true;
  return store_.Remove(StorageName(type), key);
}

bool ApiBackend::IsOrphan(const json& object) const {
  const json* owners = FindMember(object.at("metadata"), "ownerReferences");
  if (owners == nullptr || owners->empty()) return false;
  return std::none_of(owners->begin(), owners->end(),
                      [&](const json& owner) { return store_.HasUid(StringOr(owner, "uid")); });
}

void ApiBackend::CollectGarbageIfAny() {
  if (garbage_possible_) CollectGarbage();
}

void ApiBackend::CollectGarbage() {
  // Deleting an owner may orphan what it owned in turn.
  for (bool again = true; again;) {
    again = false;
    for (const ResourceType& type : types_) {
      const ObjectMap all = store_.All(StorageName(type));
      for (const auto& [key, object] : all) {
        if (object->at("metadata").contains("deletionTimestamp") || !IsOrphan(*object)) continue;
        Delete(type, key, {});
        again = true;
      }
    }
  }
  garbage_possible_ = false;
}

}  // namespace roster::fake
