#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace roster {
namespace {

std::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// The length of the UTF-8 character at the start of `text`; 0 if there is none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond Unicode.
  const bool forbidden = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
                         (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
  return forbidden ? 0 : length;
}

// JSON string escapes; also used for quoted key=value values, so that one line is always one event.
// What is no UTF-8 becomes U+FFFD: a collector drops a line of JSON for a single bad byte.
void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  out += '"';
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c == ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ||
        c == 0x7f) {
      return true;
    }
  }
  return false;
}

class SpdlogSink final : public LogSink {
 public:
  SpdlogSink() : logger_("roster", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::info);
  }
  void Write(LogLevel, std::string_view line) override {
    logger_.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  spdlog::logger logger_;
};

class NullSink final : public LogSink {
 public:
  void Write(LogLevel, std::string_view) override {}
};

}  // namespace

std::shared_ptr<LogSink> StderrSink() {
  return std::make_shared<SpdlogSink>();
}

Logger SilentLogger() {
  return {std::make_shared<NullSink>(), LogLevel::kError, LogFormat::kText};
}

void Logger::Write(LogLevel level, std::string_view message, Fields fields) const {
  if (!Enabled(level)) return;
  const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::string line;
  line.reserve(192);
  if (format_ == LogFormat::kJson) {
    line += fmt::format(R"({{"time":"{}","level":"{}","msg":)", FormatMicroTime(now), Name(level));
    AppendQuoted(line, message);
    for (const LogField& field : fields) {
      line += ',';
      AppendQuoted(line, field.key);
      line += ':';
      if (field.quoted) {
        AppendQuoted(line, field.value);
      } else {
        line += field.value;
      }
    }
    line += '}';
  } else {
    line += fmt::format("time={} level={} msg=", FormatMicroTime(now), Name(level));
    AppendQuoted(line, message);
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key;
      line += '=';
      if (NeedsQuotes(field.value)) {
        AppendQuoted(line, field.value);
      } else {
        line += field.value;
      }
    }
  }
  sink_->Write(level, line);
}

}  // namespace roster
