// The table of settings, for people: --help, docs/configuration.md, --print-config.
#include <fmt/format.h>

#include <algorithm>

#include "app/settings.h"

namespace roster::app {
namespace {

/// `text` in lines of at most 96 characters, each with `indent` before it.
std::string Wrap(std::string_view text, std::string_view indent) {
  constexpr size_t kWidth = 96;
  std::string out;
  std::string line;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > kWidth) {
      out += fmt::format("{}{}\n", indent, line);
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out + fmt::format("{}{}\n", indent, line);
}

/// A scalar that YAML reads back as the same text: numbers and durations as they are, all else in
/// quotes.
std::string YamlScalar(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto plain = [&](char c) { return digit(c) || (c >= 'a' && c <= 'z'); };
  if (!text.empty() && digit(text[0]) && std::all_of(text.begin(), text.end(), plain))
    return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string HelpText() {
  std::string out =
      "roster: the operator that keeps Agents (agents.agentroster.dev) on Kubernetes true.\n"
      "\n"
      "Usage: roster [FLAG]...\n"
      "\n"
      "Each setting can stand in a YAML file, in an environment variable, or on the command line.\n"
      "A variable wins over the file, a flag over both. An empty variable counts as not set.\n"
      "\n"
      "Settings:\n";
  for (const Setting& setting : SettingsTable()) {
    out += fmt::format("  {} {}\n", setting.FlagName(), setting.value);
    out += Wrap(setting.meaning, "      ");
    out += fmt::format("      YAML key: {}    environment: {}\n", setting.key,
                       setting.EnvironmentName());
    out += Wrap(fmt::format("default: {}", setting.fallback), "      ");
    out += Wrap(fmt::format("allowed: {}", setting.allowed), "      ");
  }
  out +=
      "\n"
      "Other flags:\n"
      "  --config FILE     The YAML file, at most 1 MiB. environment: ROSTER_CONFIG    default: "
      "none\n"
      "  --print-config    Print the settings in force, each with its source, and exit.\n"
      "  --version         Print the version and exit.\n"
      "  -h, --help        Print this and exit.\n"
      "\n"
      "Exit codes: 0 stopped as asked, 1 stopped by an error, 2 the configuration cannot be "
      "used.\n";
  return out;
}

std::string SettingsMarkdown() {
  std::string out =
      "| YAML key | environment | flag | default | allowed | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const Setting& setting : SettingsTable()) {
    out += fmt::format("| `{}` | `{}` | `{} {}` | {} | {} | {} |\n", setting.key,
                       setting.EnvironmentName(), setting.FlagName(), setting.value,
                       setting.fallback, setting.allowed, setting.meaning);
  }
  return out;
}

std::string PrintConfig(const Configuration& configuration) {
  std::string out;
  const auto table = SettingsTable();
  for (size_t row = 0; row < table.size(); ++row) {
    const std::vector<std::string> values = table[row].get(configuration.settings);
    std::string text;
    if (table[row].list) {
      for (const std::string& value : values)
        text += (text.empty() ? "" : ", ") + YamlScalar(value);
      text = "[" + text + "]";
    } else {
      text = YamlScalar(values.empty() ? "" : values[0]);
    }
    out += fmt::format("{}: {}  # {}\n", table[row].key, text, configuration.sources[row]);
  }
  return out;
}

}  // namespace roster::app
