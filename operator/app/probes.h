// /healthz, /readyz and /metrics, with answers as a Kubernetes API server gives them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/server.h"

namespace roster::app {

/// One thing that is looked at.
struct Check {
  std::string name;                    ///< "cache-agents": also the last part of its path.
  std::optional<std::string> failure;  ///< Why it failed.
  /// False for what is shown, but decides nothing: an outage that the operator outlives.
  bool decides = true;
};

/// Thread-safe as far as the functions are.
class Probes {
 public:
  struct Sources {
    std::function<std::vector<Check>()> readiness;
    std::function<std::string()> metrics;
    std::string_view metrics_content_type;
  };
  explicit Probes(Sources sources) : sources_(std::move(sources)) {}

  http::ServerResponse Handle(const http::ServerRequest& request) const;

 private:
  const Sources sources_;
};

}  // namespace roster::app
