// The table of settings: what each is called, means and allows.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "app/settings.h"
#include "base/duration.h"

namespace roster::app {
namespace {

using Values = std::vector<std::string>;
using std::chrono::milliseconds;

constexpr size_t kMaxText = 4096;
constexpr size_t kMaxNamespaces = 100;

bool IsPrintable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

template <std::string Settings::* member>
bool SetText(Settings& settings, const Values& values) {
  if (values.size() != 1 || values[0].size() > kMaxText || !IsPrintable(values[0])) return false;
  settings.*member = values[0];
  return true;
}
template <std::string Settings::* member>
Values GetText(const Settings& settings) {
  return {settings.*member};
}

std::optional<int> ParseInt(std::string_view text, int min, int max) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number >= min && number <= max ? std::optional(number) : std::nullopt;
}

template <int Settings::* member, int min, int max>
bool SetInt(Settings& settings, const Values& values) {
  const auto number = values.size() == 1 ? ParseInt(values[0], min, max) : std::nullopt;
  if (!number) return false;
  settings.*member = *number;
  return true;
}
template <int Settings::* member>
Values GetInt(const Settings& settings) {
  return {std::to_string(settings.*member)};
}

template <milliseconds Settings::* member, int64_t min_ms, int64_t max_ms>
bool SetDuration(Settings& settings, const Values& values) {
  if (values.size() != 1) return false;
  const Result<milliseconds> duration = ParseDuration(values[0]);
  if (!duration.ok() || *duration < milliseconds(min_ms) || *duration > milliseconds(max_ms)) {
    return false;
  }
  settings.*member = *duration;
  return true;
}
template <milliseconds Settings::* member>
Values GetDuration(const Settings& settings) {
  return {FormatDuration(settings.*member)};
}

constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLogLevels{
    {{"debug", LogLevel::kDebug},
     {"info", LogLevel::kInfo},
     {"warn", LogLevel::kWarn},
     {"error", LogLevel::kError}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> kLogFormats{
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};

template <const auto& words, auto member>
bool SetWord(Settings& settings, const Values& values) {
  if (values.size() != 1) return false;
  for (const auto& [word, meaning] : words) {
    if (word == values[0]) {
      settings.*member = meaning;
      return true;
    }
  }
  return false;
}
template <const auto& words, auto member>
Values GetWord(const Settings& settings) {
  for (const auto& [word, meaning] : words) {
    if (meaning == settings.*member) return {std::string(word)};
  }
  return {};
}

/// RFC 1123 label, as names of namespaces are.
bool IsNamespace(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 63 && alphanumeric(name.front()) &&
         alphanumeric(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return alphanumeric(c) || c == '-'; });
}

bool SetNamespaces(Settings& settings, const Values& values) {
  if (values.size() > kMaxNamespaces || !std::all_of(values.begin(), values.end(), IsNamespace)) {
    return false;
  }
  Values sorted = values;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return false;
  settings.watch_namespaces = values;
  return true;
}
Values GetNamespaces(const Settings& settings) {
  return settings.watch_namespaces;
}

/// "host:port", ":port" or "[IPv6]:port". Whether it can be bound shows when it is.
bool SetAddress(Settings& settings, const Values& values) {
  if (values.size() != 1) return false;
  const std::string_view address = values[0];
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || address.size() > 300) return false;
  if (!ParseInt(address.substr(colon + 1), 0, 65535)) return false;
  std::string_view host = address.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool fits = std::all_of(host.begin(), host.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || (bracketed && (c == ':' || c == '%'));
  });
  if (!fits) return false;
  settings.metrics_address = std::string(address);
  return true;
}

constexpr std::array<Setting, 10> kTable{{
    {"kubeconfig", "FILE", "The kubeconfig that says where the API server is and who Roster is.",
     "a file name", "$KUBECONFIG, in-cluster, ~/.kube/config", false,
     SetText<&Settings::kubeconfig>, GetText<&Settings::kubeconfig>},
    {"context", "NAME", "The context of the kubeconfig to use.", "a context's name",
     "the kubeconfig's current-context", false, SetText<&Settings::context>,
     GetText<&Settings::context>},
    {"watchNamespaces", "NAME,...",
     "The namespaces whose Agents Roster looks after; it then needs no cluster-wide rights.",
     "names of namespaces, each once, at most 100", "all", true, SetNamespaces, GetNamespaces},
    {"workers", "N", "How many Agents are reconciled at the same time.",
     "a whole number from 1 to 256", "16", false, SetInt<&Settings::workers, 1, 256>,
     GetInt<&Settings::workers>},
    {"metricsAddress", "ADDRESS",
     "Where /metrics, /healthz and /readyz are served; port 0 picks a free one, which the log "
     "names.",
     "HOST:PORT, :PORT or [IPv6]:PORT with a port from 0 to 65535", ":8081", false, SetAddress,
     GetText<&Settings::metrics_address>},
    {"metricsMaxAgents", "N",
     "How many Agents have metrics of their own; of more, the oldest. 0 means none.",
     "a whole number from 0 to 1000000", "10000", false,
     SetInt<&Settings::metrics_max_agents, 0, 1'000'000>, GetInt<&Settings::metrics_max_agents>},
    {"logLevel", "LEVEL", "The least level that is logged, to standard error.",
     "debug, info, warn or error", "info", false, SetWord<kLogLevels, &Settings::log_level>,
     GetWord<kLogLevels, &Settings::log_level>},
    {"logFormat", "FORMAT", "How a line of the log is written: as key=value pairs, or as JSON.",
     "text or json", "text", false, SetWord<kLogFormats, &Settings::log_format>,
     GetWord<kLogFormats, &Settings::log_format>},
    {"resyncInterval", "DURATION",
     "How often every Agent is reconciled although nothing changed, give or take 10 %.",
     "a duration from 1s to 168h, as in 90s, 30m or 1h30m", "10h", false,
     SetDuration<&Settings::resync_interval, 1'000, 168 * 3'600'000LL>,
     GetDuration<&Settings::resync_interval>},
    {"shutdownTimeout", "DURATION",
     "How long a stop may take; writes that have not ended shortly before are cancelled.",
     "a duration from 100ms to 10m, as in 500ms or 5s", "5s", false,
     SetDuration<&Settings::shutdown_timeout, 100, 600'000>,
     GetDuration<&Settings::shutdown_timeout>},
}};

/// "watchNamespaces" with `separator` before each capital.
std::string Separate(std::string_view key, char separator) {
  std::string out;
  for (const char c : key) {
    if (c >= 'A' && c <= 'Z') out += separator;
    out += c;
  }
  return out;
}

}  // namespace

std::span<const Setting> SettingsTable() {
  return kTable;
}

std::string Setting::EnvironmentName() const {
  std::string name = "ROSTER_" + Separate(key, '_');
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

std::string Setting::FlagName() const {
  std::string name = "--" + Separate(key, '-');
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

}  // namespace roster::app
