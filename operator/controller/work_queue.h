// Keys that need a reconcile. Level-triggered: a key stands in the queue at most once however often
// it is added, and is never worked on by two workers at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <unordered_map>

#include "api/meta.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "controller/observer.h"

namespace roster::controller {

/// Fresh changes go before the initial list and resyncs, but only by kHeadStart: what waited longer
/// goes first, so nothing starves. First in, first out within a priority.
enum class Priority { kFresh, kBackground };

/// Thread-safe.
class WorkQueue {
 public:
  using Key = api::ObjectKey;

  struct Options {
    Backoff::Policy backoff{std::chrono::milliseconds(5), std::chrono::milliseconds(10'000), 2.0};
    MonoClock::duration head_start = std::chrono::seconds(5);
  };

  struct Stats {
    size_t depth = 0;                   ///< Ready to be taken.
    size_t delayed = 0;                 ///< Waiting for their time.
    size_t processing = 0;              ///< In workers' hands.
    MonoClock::duration unfinished{0};  ///< Sum of the times that keys have been in workers' hands.
    MonoClock::duration longest_running{0};  ///< The longest of them.
  };

  WorkQueue(const Clock& clock, Observer& observer, Options options);

  /// Adds a key to be taken as soon as possible. While it is being worked on it is taken again
  /// after Done.
  void Add(const Key& key, Priority priority = Priority::kFresh);
  /// Adds it once `delay` has passed; the earliest of several delays wins.
  void AddAfter(const Key& key, MonoClock::duration delay);
  /// Adds it after this key's own back-off, which doubles each time until Forget. Returns the
  /// delay.
  std::chrono::milliseconds AddBackoff(const Key& key);
  void Forget(const Key& key);

  /// Waits for a key and takes it; nullopt once `stop` is requested. The caller says Done.
  std::optional<Key> Pop(std::stop_token stop);
  /// Takes a key if one is ready now.
  std::optional<Key> TryPop();
  void Done(const Key& key);

  Stats stats();
  /// When the next delayed key is due; MonoTime::max() if there is none.
  MonoTime NextDue();

 private:
  struct Waiting {
    MonoTime since;
    Priority priority;
    uint64_t sequence;
  };
  struct State {
    // The order of taking: virtual time (since + head start for background), then sequence.
    std::map<std::pair<MonoTime, uint64_t>, Key> ready;
    std::unordered_map<Key, Waiting> queued;       // in `ready`
    std::unordered_map<Key, MonoTime> processing;  // taken at
    std::unordered_map<Key, Priority> dirty;       // added while processing
    std::set<std::pair<MonoTime, Key>> due;        // delayed, by time
    std::unordered_map<Key, MonoTime> delayed;     // the same, by key
    std::unordered_map<Key, uint32_t> failures;
    uint64_t sequence = 0;
  };

  void Enqueue(State& state, const Key& key, Priority priority);
  void PromoteDue(State& state);
  std::optional<Key> Take(State& state);
  std::pair<MonoTime, uint64_t> OrderOf(const Waiting& waiting) const;

  const Clock& clock_;
  Observer& observer_;
  const Options options_;
  Guarded<State> state_;
};

}  // namespace roster::controller
