// What the operator can be told: one immutable struct, and the one table from which the
// configuration file, the environment, the flags, --help and docs/configuration.md all come.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace roster::app {

/// docs/configuration.md says what each means.
struct Settings {
  std::string kubeconfig;
  std::string context;
  std::vector<std::string> watch_namespaces;  ///< Empty: all.
  int workers = 16;
  std::string metrics_address = ":8081";
  int metrics_max_agents = 10'000;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::chrono::milliseconds resync_interval = std::chrono::hours(10);
  std::chrono::milliseconds shutdown_timeout = std::chrono::seconds(5);

  friend bool operator==(const Settings&, const Settings&) = default;
};

/// One row of the table. Names of the variable and the flag follow from the key: watchNamespaces,
/// ROSTER_WATCH_NAMESPACES,
/// --watch-namespaces.
struct Setting {
  std::string_view key;      ///< In the YAML file.
  std::string_view value;    ///< What stands for the value in --help: "N", "FILE".
  std::string_view meaning;  ///< A sentence.
  std::string_view allowed;
  std::string_view fallback;  ///< The default, in words where it is no value.
  bool list = false;

  /// Takes `text` (of a list: its elements). False if it is not allowed; then `settings` is as it
  /// was.
  bool (*set)(Settings& settings, const std::vector<std::string>& text);
  /// The values as `set` takes them.
  std::vector<std::string> (*get)(const Settings& settings);

  std::string EnvironmentName() const;
  std::string FlagName() const;  ///< With its two dashes.
};
std::span<const Setting> SettingsTable();

/// The outside world that Configure reads.
struct Surroundings {
  std::vector<std::string> arguments;  ///< Without the program's name.
  std::vector<std::pair<std::string, std::string>> environment;
  /// Errors: kNotFound, kInvalid, kForbidden, with a reason that names no file.
  std::function<Result<std::string>(const std::string& path)> read_file;
};
Surroundings ProcessSurroundings(int argc, char** argv);

enum class Action { kRun, kHelp, kVersion, kPrintConfig, kPrintConfigDocs };

struct Configuration {
  Action action = Action::kRun;
  Settings settings;
  std::string file;                   ///< Empty if there is none.
  std::vector<std::string> sources;   ///< For each row of the table: "default", "file FILE:LINE",
                                      ///< "environment NAME", "flag --NAME".
  std::vector<std::string> warnings;  ///< To be logged once there is a logger.
};

/// Errors: kInvalid; one line for each thing that is wrong, each naming where it stands, the key,
/// the value, and what is allowed.
Result<Configuration> Configure(const Surroundings& surroundings);

/// Most bytes that a configuration file may have.
inline constexpr size_t kMaxFileSize = 1U << 20U;

/// The answer to --help.
std::string HelpText();
/// The table of docs/configuration.md.
std::string SettingsMarkdown();
/// A configuration file that says the same, with each value's source as a comment.
std::string PrintConfig(const Configuration& configuration);

}  // namespace roster::app
