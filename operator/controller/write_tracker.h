// Read your own writes: which versions a key's next reconcile must have seen, so that no decision
// is made on a cache that is older than what Roster itself did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/meta.h"
#include "base/clock.h"
#include "base/guarded.h"

namespace roster::controller {

enum class Cached { kAgent, kDeployment, kService };

/// Thread-safe.
class WriteTracker {
 public:
  struct Pending {
    Cached cache;
    uint64_t version = 0;     ///< The cache must have reached it; 0 for a deletion.
    std::string deleted_uid;  ///< The cache must have lost it.
    MonoTime since;
  };

  explicit WriteTracker(const Clock& clock) : clock_(clock) {}

  /// An object of Agent `key` was written and is now at `version`.
  void Wrote(const api::ObjectKey& key, Cached cache, uint64_t version);
  void Deleted(const api::ObjectKey& key, Cached cache, const std::string& uid);

  std::vector<Pending> PendingFor(const api::ObjectKey& key);
  /// The cache has it: nothing to wait for any more.
  void Settle(const api::ObjectKey& key, Cached cache);
  void Forget(const api::ObjectKey& key);
  /// Everything: after the server's data went back in time no version of before means anything.
  void ForgetAll();

  /// A reconcile of `key` was put off until its writes have come back: the next echo must bring it
  /// again.
  void Await(const api::ObjectKey& key);
  /// True if `version` is that of our own last status write and nothing waits for it, so that its
  /// echo needs no reconcile.
  bool IsIdleEcho(const api::ObjectKey& key, uint64_t version);

 private:
  struct Entry {
    std::vector<Pending> pending;
    uint64_t status_version = 0;
    bool awaited = false;
  };
  const Clock& clock_;
  Guarded<std::unordered_map<api::ObjectKey, Entry>> entries_;
};

}  // namespace roster::controller
