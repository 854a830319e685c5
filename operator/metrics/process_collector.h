// What the kernel says about this process, under the names that every Prometheus client uses.
#pragma once

#include <prometheus/collectable.h>

#include <string>

namespace roster::metrics {

/// Thread-safe. What cannot be read is left out. Source: proc(5).
class ProcessCollector final : public prometheus::Collectable {
 public:
  /// `proc`: where proc is mounted.
  explicit ProcessCollector(std::string proc = "/proc") : proc_(std::move(proc)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::string proc_;
};

}  // namespace roster::metrics
