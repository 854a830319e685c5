// Internal to FakeApiServer: what its lock guards.
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fakes/fake_api_server.h"

namespace roster::fake {

struct FakeApiServer::State {
  explicit State(const Clock& clock) : backend(clock) {}

  ApiBackend backend;
  FaultPlan faults;
  std::vector<Action> requests;
  Outage outage = Outage::kNone;
  std::optional<int> mutations_left;
  Outage outage_then = Outage::kRefuse;
  bool garbage_at_once = true;
  bool hold = false;
  bool watch_list = true;
  size_t piece_size = 0;
  int held = 0;
  uint64_t closings = 0;                           // How often CloseWatches was called.
  uint64_t bookmarks = 0;                          // How often SendBookmarks was.
  std::map<std::string, uint64_t> bookmarks_sent;  // By resource, on watches that are not held.

  void CountMutation() {
    if (mutations_left && --*mutations_left == 0) {
      outage = outage_then;
      mutations_left.reset();
    }
  }
  template <class T>
  T OrThrow(Outcome<T> outcome) {
    if (auto* failure = std::get_if<Failure>(&outcome))
      throw std::logic_error(failure->status.dump());
    if (garbage_at_once) backend.CollectGarbageIfAny();
    return std::get<T>(std::move(outcome));
  }
};

}  // namespace roster::fake
