// The Prometheus text exposition format, version 0.0.4.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roster::metrics {

/// Families by name and samples by labels, so that two scrapes can be compared line by line. What
/// would be no valid exposition never gets out: a sample that is not a number is left out
/// (prometheus-cpp prints "Nan", which no parser takes), and so is a family without samples.
std::string ToText(std::vector<prometheus::MetricFamily> families);

/// Writes the samples of one gauge family straight to text: for families that have a series an
/// Agent, where an object a sample would cost more memory than the Agents themselves. Confined to
/// one thread.
class GaugeWriter {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// `out` outlives the writer. Nothing is written for a family without samples.
  GaugeWriter(std::string& out, std::string_view name, std::string_view help)
      : out_(out), name_(name), help_(help) {}

  void Sample(Labels labels, double value);

 private:
  std::string& out_;
  std::string_view name_;
  std::string_view help_;
  bool begun_ = false;
};

}  // namespace roster::metrics
