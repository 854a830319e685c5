// What can go wrong between a client and the API server, on purpose.
#pragma once

#include <list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "fakes/status_answer.h"

namespace roster::fake {

struct Fault {
  enum class Kind {
    kAnswer,      ///< The server answers with a failure instead of acting.
    kDropBefore,  ///< kUnavailable; the server never saw the request.
    kDropAfter,   ///< kUnavailable; but the server acted.
    kDelay,       ///< The answer takes `delay` longer; beyond the request's timeout it is kTimeout,
                  ///< though it acted.
    kMalformedBody,  ///< The server acts, and half of its answer arrives. A watch begins with a
                     ///< line that is no event.
    kCutStream,      ///< A watch breaks after `bytes`, which may be in the middle of a line.
  };

  Kind kind = Kind::kDropBefore;
  Failure failure = {};
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  MonoClock::duration delay{0};
  size_t bytes = 0;

  static Fault Answer(Failure failure,
                      std::optional<std::chrono::seconds> retry_after = std::nullopt);
  /// Such as (403, "Forbidden", "exceeded quota: …").
  static Fault Answer(int code, std::string_view reason, std::string_view message);
  static Fault DropBefore() { return {Kind::kDropBefore}; }
  static Fault DropAfter() { return {Kind::kDropAfter}; }
  static Fault Delay(MonoClock::duration delay);
  static Fault MalformedBody() { return {Kind::kMalformedBody}; }
  static Fault CutStream(size_t bytes);
};

/// Faults that wait for their request. Not thread-safe.
class FaultPlan {
 public:
  /// The next `n` requests of that verb and resource (plural name) fail; "*" is any. The oldest
  /// plan that fits wins.
  void Add(std::string_view verb, std::string_view resource, int n, Fault fault);
  std::optional<Fault> Take(std::string_view verb, std::string_view resource);
  void Clear() { planned_.clear(); }

 private:
  struct Planned {
    std::string verb;
    std::string resource;
    int left;
    Fault fault;
  };
  std::list<Planned> planned_;
};

}  // namespace roster::fake
