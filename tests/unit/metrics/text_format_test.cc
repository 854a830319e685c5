#include "metrics/text_format.h"

#include <gtest/gtest.h>
#include <prometheus/client_metric.h>

#include <cmath>
#include <limits>

namespace roster::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric Gauge(std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric sample;
  sample.label = std::move(labels);
  sample.gauge.value = value;
  return sample;
}

TEST(TextFormatTest, SortsFamiliesByNameAndSamplesByLabels) {
  const MetricFamily b{
      "b", "second", MetricType::Gauge, {Gauge({{"x", "2"}}, 2), Gauge({{"x", "1"}}, 1)}};
  const MetricFamily a{"a", "first", MetricType::Gauge, {Gauge({}, 0.5)}};
  EXPECT_EQ(ToText({b, a}),
            "# HELP a first\n# TYPE a gauge\na 0.5\n"
            "# HELP b second\n# TYPE b gauge\nb{x=\"1\"} 1\nb{x=\"2\"} 2\n");
}

TEST(TextFormatTest, LeavesOutWhatIsNotANumberInsteadOfPrintingNan) {
  const double nan = std::nan("");
  MetricFamily gauge{
      "g", "h", MetricType::Gauge, {Gauge({{"x", "bad"}}, nan), Gauge({{"x", "good"}}, 1)}};
  MetricFamily counter{"c_total", "h", MetricType::Counter, {ClientMetric{}}};
  counter.metric[0].counter.value = nan;
  MetricFamily histogram{"d", "h", MetricType::Histogram, {ClientMetric{}}};
  histogram.metric[0].histogram.sample_sum = nan;
  EXPECT_EQ(ToText({gauge, counter, histogram}), "# HELP g h\n# TYPE g gauge\ng{x=\"good\"} 1\n");
}

TEST(TextFormatTest, WritesNoFamilyWithoutSamples) {
  EXPECT_EQ(ToText({MetricFamily{"empty", "h", MetricType::Gauge, {}}}), "");
}

TEST(TextFormatTest, EscapesLabelValuesAndHelp) {
  const MetricFamily family{"g",
                            "back\\slash and\nnewline and \"quotes\"",
                            MetricType::Gauge,
                            {Gauge({{"x", "a\\b\"c\nd"}}, 1)}};
  EXPECT_EQ(ToText({family}),
            "# HELP g back\\\\slash and\\nnewline and \"quotes\"\n# TYPE g gauge\n"
            "g{x=\"a\\\\b\\\"c\\nd\"} 1\n");
}

TEST(GaugeWriterTest, WritesTheSameTextAsToTextDoes) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const std::vector<double> values{0, 1, -1, 0.5, 1e-8, 12345678, 1753000000.123456, kInf, -kInf};
  MetricFamily family{"g", "back\\slash", MetricType::Gauge, {}};
  std::string written;
  GaugeWriter writer(written, family.name, family.help);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string label = std::to_string(i) + "\\\"\n";
    family.metric.push_back(Gauge({{"a", label}, {"b", ""}}, values[i]));
    writer.Sample({{"a", label}, {"b", ""}}, values[i]);
  }
  writer.Sample({{"a", "none"}}, std::nan(""));
  EXPECT_EQ(written, ToText({family}));
}

TEST(GaugeWriterTest, WritesNothingWithoutSamples) {
  std::string written;
  GaugeWriter writer(written, "g", "h");
  writer.Sample({}, std::nan(""));
  EXPECT_EQ(written, "");
}

}  // namespace
}  // namespace roster::metrics
