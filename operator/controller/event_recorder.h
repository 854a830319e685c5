// Tells people what happened to an Agent, as Events that kubectl describe shows. Never in a
// reconcile's way: what cannot be taken or written is dropped and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "api/agent.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "controller/observer.h"
#include "kube/client.h"

namespace roster::controller {

struct EventText {
  bool warning = false;
  std::string reason;  ///< CamelCase.
  std::string action;  ///< What Roster was doing: "Reconcile".
  std::string note;    ///< At most 1024 bytes are kept.
};

class EventRecorder {
 public:
  struct Options {
    std::string instance;             ///< reportingInstance: which process of several.
    size_t queue_size = 1000;         ///< Further ones are dropped.
    double burst = 20;                ///< Per Agent: so many at once,
    std::chrono::seconds refill{30};  ///< then one in so long.
    std::chrono::minutes series_window{
        6};  ///< A repeat within it counts up the Event that there is.
  };

  EventRecorder(kube::Client& client, const Clock& clock, Logger log, Observer& observer,
                Options options);

  /// Thread-safe, never blocks.
  void Record(const api::Agent& agent, EventText text);

  /// Writes what is queued until `stop`, then what is left; `hard_stop` cuts even that short.
  void Run(std::stop_token stop, std::stop_token hard_stop);
  /// Writes what is queued now.
  void Flush(std::stop_token stop);

 private:
  struct Item {
    api::ObjectKey agent;
    std::string agent_uid;
    EventText text;
    WallTime time;
  };
  struct Bucket {
    double tokens;
    MonoTime filled;
  };
  struct Queue {
    std::deque<Item> items;
    std::unordered_map<std::string, Bucket> buckets;  // by Agent uid
  };
  /// An Event that exists and may be counted up.
  struct Series {
    std::string name;
    int32_t count = 1;
    MonoTime last;
  };

  bool TakeToken(Queue& queue, const std::string& uid);
  void Write(const Item& item, std::stop_token stop);
  Status Create(const Item& item, const std::string& series_key, std::stop_token stop);
  void ForgetOldSeries();

  kube::Client& client_;
  const Clock& clock_;
  Logger log_;
  Observer& observer_;
  const Options options_;
  Guarded<Queue> queue_;
  // Confined to the thread that writes.
  std::map<std::string, Series> series_;
  uint64_t written_ = 0;
};

}  // namespace roster::controller
