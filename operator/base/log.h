// Structured logging: one event a line, key=value or JSON. The message is a fixed sentence; what
// varies is a field.
//
//   debug  cache operations, each loaded agent
//   info   lifecycle changes, connections
//   warn   failed writes and probes: something to look at, and the operator goes on
//   error  what ends the process
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace roster {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

/// One key and its value. Keys are snake_case; `agent_id`, `agent_type`, `state` and `namespace`
/// where they apply.
struct LogField {
  std::string_view key;
  std::string value;
  bool quoted = true;  ///< False for what JSON writes bare: finite numbers and booleans.

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  template <std::integral N>
    requires(!std::same_as<N, char>)
  LogField(std::string_view k, N v) : key(k), value(fmt::format("{}", v)), quoted(false) {}
  template <std::floating_point N>
  LogField(std::string_view k, N v)
      : key(k), value(fmt::format("{}", v)), quoted(!std::isfinite(v)) {}
};

/// Where finished lines go. Thread-safe.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// `line` has no newline at its end.
  virtual void Write(LogLevel level, std::string_view line) = 0;
};

/// Standard error, by way of spdlog.
std::shared_ptr<LogSink> StderrSink();

/// Thread-safe; cheap to copy.
class Logger {
 public:
  Logger(std::shared_ptr<LogSink> sink, LogLevel level, LogFormat format)
      : sink_(std::move(sink)), level_(level), format_(format) {}

  using Fields = std::initializer_list<LogField>;
  void Debug(std::string_view message, Fields fields = {}) const {
    Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, Fields fields = {}) const {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warn(std::string_view message, Fields fields = {}) const {
    Write(LogLevel::kWarn, message, fields);
  }
  void Error(std::string_view message, Fields fields = {}) const {
    Write(LogLevel::kError, message, fields);
  }

  bool Enabled(LogLevel level) const { return level >= level_; }

 private:
  void Write(LogLevel level, std::string_view message, Fields fields) const;

  std::shared_ptr<LogSink> sink_;
  LogLevel level_;
  LogFormat format_;
};

/// A Logger that writes nowhere, for code under test that must be given one.
Logger SilentLogger();

}  // namespace roster
