#include "metrics/process_collector.h"

#include <prometheus/metric_family.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace roster::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Fields of proc/self/stat that are read, numbered as proc(5) numbers them.
enum StatField : size_t {
  kUserTime = 14,
  kSystemTime = 15,
  kStartTime = 22,
  kVirtualSize = 23,
  kResident = 24
};

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The numbers of proc/self/stat, element n being field n; empty if it cannot be read. Field 2 is
/// the program's name in parentheses, which may itself hold spaces and parentheses: counting starts
/// behind the last one.
std::vector<double> ReadStat(const std::string& path) {
  const std::string text = ReadText(path);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  std::string state;
  rest >> state;                  // field 3, a letter
  std::vector<double> fields(4);  // 0 to 3, of which none is a number
  for (double value = 0; rest >> value;) fields.push_back(value);
  if (fields.size() <= kResident) return {};
  return fields;
}

/// The number that follows `word` at the start of a line.
std::optional<double> NumberAfter(const std::string& text, std::string_view word) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(word)) continue;
    std::istringstream rest(line.substr(word.size()));
    double value = 0;
    if (rest >> value) return value;
  }
  return std::nullopt;
}

std::optional<double> CountEntries(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) return std::nullopt;
  double count = 0;
  for (; entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (error) return std::nullopt;
    ++count;
  }
  return count;
}

void Add(std::vector<MetricFamily>& out, MetricType type, const char* name, const char* help,
         std::optional<double> value) {
  if (!value) return;
  ClientMetric sample;
  (type == MetricType::Counter ? sample.counter.value : sample.gauge.value) = *value;
  out.push_back({name, help, type, {std::move(sample)}});
}

}  // namespace

std::vector<MetricFamily> ProcessCollector::Collect() const {
  std::vector<MetricFamily> out;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  if (const std::vector<double> stat = ReadStat(proc_ + "/self/stat"); !stat.empty()) {
    Add(out, MetricType::Counter, "process_cpu_seconds_total",
        "Total user and system CPU time spent in seconds.",
        (stat[kUserTime] + stat[kSystemTime]) / ticks);
    Add(out, MetricType::Gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
        stat[kVirtualSize]);
    Add(out, MetricType::Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.",
        stat[kResident] * page);
    if (const auto boot = NumberAfter(ReadText(proc_ + "/stat"), "btime ")) {
      Add(out, MetricType::Gauge, "process_start_time_seconds",
          "Start time of the process since unix epoch in seconds.",
          *boot + stat[kStartTime] / ticks);
    }
  }
  Add(out, MetricType::Gauge, "process_open_fds", "Number of open file descriptors.",
      CountEntries(proc_ + "/self/fd"));
  Add(out, MetricType::Gauge, "process_max_fds", "Maximum number of open file descriptors.",
      NumberAfter(ReadText(proc_ + "/self/limits"), "Max open files"));
  return out;
}

}  // namespace roster::metrics
