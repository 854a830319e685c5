// Where an Informer puts what it hears: decodes each object into its record, drops the JSON, writes
// the Store and tells the handler what changed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/json.h"
#include "base/result.h"
#include "controller/work_queue.h"
#include "kube/client.h"
#include "store/store.h"

namespace roster::controller {

/// Confined to the informer's thread.
class Reflection {
 public:
  virtual ~Reflection() = default;

  /// One object of a list under way. Errors: kMalformed; the list goes on without it.
  virtual Status Stage(nlohmann::json&& object) = 0;
  /// The list is whole: what was staged is all there is, at `version`.
  virtual void Commit(uint64_t version) = 0;
  /// The list broke.
  virtual void Discard() = 0;
  /// ADDED, MODIFIED or DELETED. Errors: kMalformed.
  virtual Status Apply(kube::WatchEventType type, nlohmann::json&& object) = 0;
  virtual void Bookmark(uint64_t version) = 0;
};

/// `Record` has a member `meta`; `parse` makes it from JSON.
template <class Record>
class StoreReflection final : public Reflection {
 public:
  using Store = store::Store<Record>;
  using Parse = Result<Record> (*)(const nlohmann::json&);
  /// Called after the store was written, on the informer's thread.
  using Handler = std::function<void(const typename Store::Change&, Priority)>;

  StoreReflection(Store& store, std::string scope, Parse parse, Handler handler)
      : store_(store), scope_(std::move(scope)), parse_(parse), handler_(std::move(handler)) {
    store_.AddScope(scope_);
  }

  Status Stage(nlohmann::json&& object) override {
    auto record = parse_(object);
    if (!record) return record.error();
    staged_.push_back(std::make_shared<const Record>(std::move(*record)));
    return Ok();
  }

  void Commit(uint64_t version) override {
    for (const auto& change : store_.Replace(scope_, std::exchange(staged_, {}), version)) {
      handler_(change, Priority::kBackground);
    }
  }

  void Discard() override { staged_ = {}; }

  Status Apply(kube::WatchEventType type, nlohmann::json&& object) override {
    auto record = parse_(object);
    if (!record) return record.error();
    typename Store::Change change;
    if (type == kube::WatchEventType::kDeleted) {
      change = store_.Erase(scope_, record->meta.key(), record->meta.resource_version);
    } else {
      change = store_.Put(scope_, std::make_shared<const Record>(std::move(*record)));
    }
    if (change.before || change.after) handler_(change, Priority::kFresh);
    return Ok();
  }

  void Bookmark(uint64_t version) override { store_.Bookmark(scope_, version); }

 private:
  Store& store_;
  const std::string scope_;
  const Parse parse_;
  const Handler handler_;
  std::vector<typename Store::Ptr> staged_;
};

}  // namespace roster::controller
