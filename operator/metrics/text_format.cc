#include "metrics/text_format.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <sstream>

namespace roster::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

double ValueOf(const ClientMetric& sample, MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return sample.counter.value;
    case MetricType::Gauge:
      return sample.gauge.value;
    case MetricType::Summary:
      return sample.summary.sample_sum;
    case MetricType::Histogram:
      return sample.histogram.sample_sum;
    case MetricType::Untyped:
      return sample.untyped.value;
  }
  return 0;
}

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '"':
        out += quotes ? "\\\"" : "\"";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

std::string ToText(std::vector<MetricFamily> families) {
  for (MetricFamily& family : families) {
    std::erase_if(family.metric, [&](const ClientMetric& sample) {
      return std::isnan(ValueOf(sample, family.type));
    });
    std::sort(family.metric.begin(), family.metric.end(),
              [](const ClientMetric& a, const ClientMetric& b) { return a.label < b.label; });
    // prometheus-cpp escapes label values, but not the help text.
    std::string help;
    AppendEscaped(help, family.help, false);
    family.help = std::move(help);
  }
  std::erase_if(families, [](const MetricFamily& family) { return family.metric.empty(); });
  std::sort(families.begin(), families.end(),
            [](const MetricFamily& a, const MetricFamily& b) { return a.name < b.name; });
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

void GaugeWriter::Sample(Labels labels, double value) {
  if (std::isnan(value)) return;
  if (!begun_) {
    out_ += fmt::format("# HELP {} ", name_);
    AppendEscaped(out_, help_, false);
    out_ += fmt::format("\n# TYPE {} gauge\n", name_);
    begun_ = true;
  }
  out_ += name_;
  char separator = '{';
  for (const auto& [label, text] : labels) {
    out_ += separator;
    out_ += label;
    out_ += "=\"";
    AppendEscaped(out_, text, true);
    out_ += '"';
    separator = ',';
  }
  if (separator == ',') out_ += '}';
  out_ += ' ';
  if (std::isinf(value)) {
    out_ += value > 0 ? "+Inf" : "-Inf";
  } else {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  out_ += '\n';
}

}  // namespace roster::metrics
