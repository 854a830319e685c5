// The doors and switches of FakeApiServer that only tests use.
#include <stdexcept>
#include <utility>

#include "api/json.h"
#include "fakes/api_handler.h"
#include "fakes/fake_api_server.h"
#include "fakes/fake_api_server_state.h"

namespace roster::fake {

json FakeApiServer::Put(json object, const std::string& manager) {
  json stored;
  {
    auto state = state_->Lock();
    const ResourceType& type = state->backend.TypeOf(object);
    json& metadata = object["metadata"];
    if (type.namespaced && api::StringOr(metadata, "namespace").empty())
      metadata["namespace"] = "default";
    const api::ObjectKey key{api::StringOr(metadata, "namespace"), api::StringOr(metadata, "name")};
    const ObjectPtr live = state->backend.store().Find(ApiBackend::StorageName(type), key);
    if (live) {
      for (const char* field : {"resourceVersion", "uid", "managedFields"})
        metadata[field] = live->at("metadata")[field];
    }
    stored =
        *state
             ->OrThrow(live ? state->backend.Update(type, key, {manager, ""}, std::move(object))
                            : state->backend.Create(type, key.ns, std::move(object), manager))
             .object;
  }
  state_->NotifyAll();
  return stored;
}

json FakeApiServer::PutStatus(const json& object, const std::string& manager) {
  json stored;
  {
    auto state = state_->Lock();
    const ResourceType& type = state->backend.TypeOf(object);
    json copy = object;
    copy["metadata"].erase("resourceVersion");
    copy["metadata"].erase("uid");
    const std::string ns =
        api::StringOr(copy["metadata"], "namespace", type.namespaced ? "default" : "");
    const api::ObjectKey key{ns, api::StringOr(copy["metadata"], "name")};
    const ObjectPtr live = state->backend.store().Find(ApiBackend::StorageName(type), key);
    if (!live) throw std::logic_error("no " + type.kind + " " + key.ToString());
    json next = *live;
    next["status"] = copy.value("status", json::object());
    stored = *state->OrThrow(state->backend.Update(type, key, {manager, "status"}, std::move(next)))
                  .object;
  }
  state_->NotifyAll();
  return stored;
}

json FakeApiServer::Mutate(const kube::Resource& resource, const api::ObjectKey& key,
                           const std::function<void(json&)>& change, const std::string& manager) {
  json stored;
  {
    auto state = state_->Lock();
    const ResourceType& type = state->backend.TypeOf(resource);
    const ObjectPtr live = state->backend.store().Find(ApiBackend::StorageName(type), key);
    if (!live) throw std::logic_error("no " + type.kind + " " + key.ToString());
    json next = *live;
    change(next);
    next["metadata"]["resourceVersion"] = live->at("metadata")["resourceVersion"];
    const json status = next.value("status", json());
    stored =
        *state->OrThrow(state->backend.Update(type, key, {manager, ""}, std::move(next))).object;
    if (type.has_status && status != stored.value("status", json())) {
      json with_status = stored;
      with_status["status"] = status;
      stored = *state
                    ->OrThrow(state->backend.Update(type, key, {manager, "status"},
                                                    std::move(with_status)))
                    .object;
    }
  }
  state_->NotifyAll();
  return stored;
}

void FakeApiServer::Delete(const kube::Resource& resource, const api::ObjectKey& key) {
  {
    auto state = state_->Lock();
    state->OrThrow(state->backend.Delete(state->backend.TypeOf(resource), key, {}));
  }
  state_->NotifyAll();
}

std::optional<json> FakeApiServer::Get(const kube::Resource& resource,
                                       const api::ObjectKey& key) const {
  auto state = state_->Lock();
  const ObjectPtr object =
      state->backend.store().Find(ApiBackend::StorageName(state->backend.TypeOf(resource)), key);
  return object ? std::optional(*object) : std::nullopt;
}

std::vector<json> FakeApiServer::List(const kube::Resource& resource, std::string_view ns) const {
  auto state = state_->Lock();
  std::vector<json> objects;
  for (const auto& [key, object] :
       state->backend.store().All(ApiBackend::StorageName(state->backend.TypeOf(resource)))) {
    if (ns.empty() || key.ns == ns) objects.push_back(*object);
  }
  return objects;
}

uint64_t FakeApiServer::version() const {
  return state_->Lock()->backend.store().version();
}

void FakeApiServer::Register(ResourceType type) {
  state_->Lock()->backend.types().push_back(std::move(type));
}

void FakeApiServer::CollectGarbageAtOnce(bool on) {
  state_->Lock()->garbage_at_once = on;
}

void FakeApiServer::RunGarbageCollector() {
  state_->Lock()->backend.CollectGarbage();
  state_->NotifyAll();
}

std::vector<Action> FakeApiServer::Actions() const {
  std::vector<Action> actions = Requests();
  std::erase_if(actions, [](const Action& action) { return !IsMutating(action.verb); });
  return actions;
}

std::vector<Action> FakeApiServer::Requests() const {
  return state_->Lock()->requests;
}

void FakeApiServer::ClearActions() {
  state_->Lock()->requests.clear();
}

void FakeApiServer::FailNext(std::string_view verb, std::string_view resource, int n, Fault fault) {
  state_->Lock()->faults.Add(verb, resource, n, std::move(fault));
}

void FakeApiServer::ClearFaults() {
  state_->Lock()->faults.Clear();
}

void FakeApiServer::StopAnswering(Outage outage) {
  state_->Lock()->outage = outage;
  state_->NotifyAll();
}

void FakeApiServer::StopAnsweringAfter(int n, Outage outage) {
  if (n <= 0) return StopAnswering(outage);
  auto state = state_->Lock();
  state->mutations_left = n;
  state->outage_then = outage;
}

void FakeApiServer::StartAnswering() {
  {
    auto state = state_->Lock();
    state->outage = Outage::kNone;
    state->mutations_left.reset();
  }
  state_->NotifyAll();
}

void FakeApiServer::Compact() {
  state_->Lock()->backend.store().Compact();
}

void FakeApiServer::Rewind(uint64_t version) {
  state_->Lock()->backend.store().Rewind(version);
}

void FakeApiServer::HoldWatches(bool on) {
  state_->Lock()->hold = on;
  state_->NotifyAll();
}

void FakeApiServer::CloseWatches() {
  ++state_->Lock()->closings;
  state_->NotifyAll();
}

int FakeApiServer::held_watches() const {
  return state_->Lock()->held;
}

void FakeApiServer::SendBookmarks() {
  ++state_->Lock()->bookmarks;
  state_->NotifyAll();
}

void FakeApiServer::SupportWatchList(bool on) {
  state_->Lock()->watch_list = on;
}

void FakeApiServer::SetPieceSize(size_t bytes) {
  state_->Lock()->piece_size = bytes;
}

}  // namespace roster::fake
