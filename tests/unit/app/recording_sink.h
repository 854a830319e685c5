// Keeps log lines, for tests that assert on them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/log.h"

namespace roster::app {

/// Thread-safe.
class RecordingSink final : public LogSink {
 public:
  void Write(LogLevel, std::string_view line) override {
    // "time=…" differs from run to run.
    const size_t level = line.find("level=");
    lines_.Lock()->emplace_back(line.substr(level == std::string_view::npos ? 0 : level));
  }

  /// As `level=info msg="…" key=value`, in order.
  std::vector<std::string> Lines() { return *lines_.Lock(); }

  bool Has(std::string_view part) {
    for (const std::string& line : Lines()) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  size_t Count(std::string_view part) {
    size_t count = 0;
    for (const std::string& line : Lines()) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }

 private:
  Guarded<std::vector<std::string>> lines_;
};

}  // namespace roster::app
