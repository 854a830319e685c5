#include "metrics/process_collector.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "metrics/text_format.h"

namespace roster::metrics {
namespace {

namespace fs = std::filesystem;

/// A proc file system with what a test writes into it.
class ProcTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(root_);
    fs::create_directories(root_ / "self" / "fd");
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name) << text;
  }

  const fs::path root_ = fs::temp_directory_path() / ("roster-proc-" + std::to_string(getpid()));
};

TEST_F(ProcTest, CountsFieldsBehindAProgramNameWithSpacesAndParentheses) {
  Write("self/stat",
        "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 17 18 700 4096000 25 99 0 0\n");
  Write("stat", "cpu 1 2 3\nbtime 1700000000\nprocesses 5\n");
  Write("self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        "Max open files            1024                 4096                 files     \n");
  for (const char* fd : {"0", "1", "2"}) Write(std::string("self/fd/") + fd, "");

  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::map<std::string, double> values;
  for (const auto& family : ProcessCollector(root_.string()).Collect()) {
    const auto& sample = family.metric.at(0);
    values[family.name] =
        family.type == prometheus::MetricType::Counter ? sample.counter.value : sample.gauge.value;
  }
  EXPECT_EQ(values, (std::map<std::string, double>{
                        {"process_cpu_seconds_total", 200 / ticks},
                        {"process_virtual_memory_bytes", 4096000},
                        {"process_resident_memory_bytes", 25 * page},
                        {"process_start_time_seconds", 1700000000 + 700 / ticks},
                        {"process_open_fds", 3},
                        {"process_max_fds", 1024},
                    }));
}

TEST_F(ProcTest, LeavesOutWhatCannotBeRead) {
  Write("self/stat", "42 (cut short");
  Write("self/limits",
        "Max open files            unlimited            unlimited            files     \n");
  fs::remove(root_ / "self" / "fd");
  EXPECT_EQ(ToText(ProcessCollector(root_.string()).Collect()), "");
}

TEST(ProcessCollectorTest, ReadsThisProcess) {
  std::map<std::string, double> values;
  for (const auto& family : ProcessCollector().Collect()) {
    values[family.name] = family.metric.at(0).gauge.value + family.metric.at(0).counter.value;
  }
  ASSERT_EQ(values.count("process_resident_memory_bytes"), 1U);
  EXPECT_GT(values["process_resident_memory_bytes"], 1e5);
  EXPECT_GT(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_LE(values["process_open_fds"], 1000);
  const auto now = static_cast<double>(time(nullptr));
  EXPECT_LE(values["process_start_time_seconds"], now + 1);
  EXPECT_GT(values["process_start_time_seconds"], now - 600);
}

}  // namespace
}  // namespace roster::metrics
