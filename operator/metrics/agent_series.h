// What a scrape says about Agents. Computed from the Store when asked, so that no series outlives
// its Agent.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "metrics/label_cap.h"
#include "store/agent_store.h"

namespace prometheus {
struct MetricFamily;
}

namespace roster::metrics {

/// The label value of a state or health that has not been determined yet.
inline constexpr std::string_view kNone = "_none";

/// Not thread-safe: the caps remember which label values they let in.
class AgentSeries {
 public:
  struct Limits {
    size_t agents = 10'000;  ///< Agents with series of their own; of more, the oldest.
    size_t namespaces = 500;
    size_t types = 100;
  };

  /// What one scrape left out or summed up, because a limit was reached.
  struct Dropped {
    size_t agents = 0;
    size_t namespaces = 0;
    size_t types = 0;
  };

  explicit AgentSeries(Limits limits)
      : limits_(limits), namespaces_(limits.namespaces), types_(limits.types) {}

  /// roster_agents. Costs the number of label combinations, not of Agents.
  prometheus::MetricFamily Counts(const store::AgentStore& agents, Dropped& dropped);

  /// Appends the text of the series that each Agent has, in the order of namespace and name.
  void AppendEach(const store::AgentStore& agents, std::string& out, Dropped& dropped) const;

 private:
  const Limits limits_;
  LabelCap namespaces_;
  LabelCap types_;
};

}  // namespace roster::metrics
