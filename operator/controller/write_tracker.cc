#include "controller/write_tracker.h"

#include <algorithm>
#include <utility>

namespace roster::controller {

void WriteTracker::Wrote(const api::ObjectKey& key, Cached cache, uint64_t version) {
  auto entries = entries_.Lock();
  Entry& entry = (*entries)[key];
  std::erase_if(entry.pending, [&](const Pending& p) { return p.cache == cache; });
  entry.pending.push_back({cache, version, {}, clock_.Mono()});
  if (cache == Cached::kAgent) entry.status_version = version;
}

void WriteTracker::Deleted(const api::ObjectKey& key, Cached cache, const std::string& uid) {
  auto entries = entries_.Lock();
  Entry& entry = (*entries)[key];
  std::erase_if(entry.pending, [&](const Pending& p) { return p.cache == cache; });
  entry.pending.push_back({cache, 0, uid, clock_.Mono()});
}

std::vector<WriteTracker::Pending> WriteTracker::PendingFor(const api::ObjectKey& key) {
  auto entries = entries_.Lock();
  const auto it = entries->find(key);
  return it == entries->end() ? std::vector<Pending>() : it->second.pending;
}

void WriteTracker::Settle(const api::ObjectKey& key, Cached cache) {
  auto entries = entries_.Lock();
  const auto it = entries->find(key);
  if (it == entries->end()) return;
  std::erase_if(it->second.pending, [&](const Pending& p) { return p.cache == cache; });
}

void WriteTracker::Forget(const api::ObjectKey& key) {
  entries_.Lock()->erase(key);
}

void WriteTracker::ForgetAll() {
  entries_.Lock()->clear();
}

void WriteTracker::Await(const api::ObjectKey& key) {
  (*entries_.Lock())[key].awaited = true;
}

bool WriteTracker::IsIdleEcho(const api::ObjectKey& key, uint64_t version) {
  auto entries = entries_.Lock();
  const auto it = entries->find(key);
  if (it == entries->end() || it->second.status_version != version) return false;
  return !std::exchange(it->second.awaited, false);
}

}  // namespace roster::controller
