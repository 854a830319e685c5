// File, environment and flags become Settings.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <system_error>

#include "app/settings.h"
#include "app/yaml_file.h"

extern char** environ;

namespace roster::app {
namespace {

constexpr std::string_view kConfigVariable = "ROSTER_CONFIG";
constexpr std::string_view kConfigFlag = "--config";

/// `text` for a message: without line breaks, and not too long to read.
std::string Shown(std::string_view text) {
  constexpr size_t kMost = 100;
  std::string out;
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  if (text.size() > kMost) out += "...";
  return "\"" + out + "\"";
}

std::string ShownList(const std::vector<std::string>& values) {
  if (values.size() == 1) return Shown(values[0]);
  std::string joined;
  for (const std::string& value : values) joined += (joined.empty() ? "" : ",") + value;
  return Shown(joined);
}

/// Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

/// Letters and digits only, small: so that "watch_namespaces" and "--watchNamespaces" are near
/// "watchNamespaces".
std::string Bare(std::string_view name) {
  std::string bare;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      bare += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      bare += c;
    }
  }
  return bare;
}

/// "; did you mean X?" if one of `names` is near.
std::string Suggestion(std::string_view given, const std::vector<std::string>& names) {
  constexpr size_t kLongest = 64;  // longer is no typing error, and Distance is quadratic
  const std::string bare = Bare(given.substr(0, kLongest));
  const std::string* nearest = nullptr;
  size_t best = std::max<size_t>(1, bare.size() / 3) + 1;
  for (const std::string& name : names) {
    if (const size_t distance = Distance(bare, Bare(name)); distance < best) {
      best = distance;
      nearest = &name;
    }
  }
  return nearest == nullptr ? "" : fmt::format("; did you mean {}?", *nearest);
}

std::string Join(const std::vector<std::string>& words, std::string_view separator) {
  std::string joined;
  for (const std::string& word : words) {
    if (!joined.empty()) joined += separator;
    joined += word;
  }
  return joined;
}

/// "a, b,c" without the empty parts: namespaces have no commas or spaces.
std::vector<std::string> SplitCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return parts;
}

/// Variables that Kubernetes puts into every pod for a Service called roster, or roster-metrics:
/// not meant for Roster.
bool IsServiceVariable(std::string_view name) {
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos ||
         name.ends_with("_PORT") || name.find("_PORT_") != std::string_view::npos;
}

/// What stands on the command line, before it means anything.
struct CommandLine {
  Action action = Action::kRun;
  std::vector<std::string> config;
  std::vector<std::vector<std::string>> values;  ///< For each row of the table, in the order given.
};

class Configurator {
 public:
  explicit Configurator(const Surroundings& surroundings)
      : surroundings_(surroundings), table_(SettingsTable()) {
    result_.sources.assign(table_.size(), "default");
  }

  Result<Configuration> Run() {
    const CommandLine command_line = ParseArguments();
    result_.action = command_line.action;
    // Who asks for help gets it, whatever else is wrong.
    const bool asks = result_.action != Action::kRun && result_.action != Action::kPrintConfig;
    if (asks) return std::move(result_);
    ReadFile(command_line);
    ReadEnvironment();
    ReadFlags(command_line);
    if (!problems_.empty()) return Error{ErrorKind::kInvalid, Join(problems_, "\n")};
    return std::move(result_);
  }

 private:
  void Problem(std::string text) { problems_.push_back(std::move(text)); }

  /// Takes over one value, or says why not.
  void Set(size_t row, const std::string& where, std::string_view name, std::string source,
           const std::vector<std::string>& values) {
    const Setting& setting = table_[row];
    if (setting.set(result_.settings, values)) {
      result_.sources[row] = std::move(source);
    } else {
      Problem(fmt::format("{}{}: {} is not allowed; allowed: {}", where, name, ShownList(values),
                          setting.allowed));
    }
  }

  CommandLine ParseArguments() {
    CommandLine line;
    line.values.resize(table_.size());
    CLI::App cli;
    cli.set_help_flag("");
    cli.allow_extras();
    bool help = false;
    bool version = false;
    bool print_config = false;
    bool print_docs = false;
    cli.add_flag("-h,--help", help);
    cli.add_flag("--version", version);
    cli.add_flag("--print-config", print_config);
    cli.add_flag("--print-config-docs", print_docs);
    cli.add_option(std::string(kConfigFlag), line.config)
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    for (size_t row = 0; row < table_.size(); ++row) {
      cli.add_option(table_[row].FlagName(), line.values[row])
          ->expected(1)
          ->take_all()
          ->allow_extra_args(false);
    }
    std::vector<std::string> arguments = SplitFlags();
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
      cli.parse(arguments);
    } catch (const CLI::ArgumentMismatch& error) {
      // "--workers: 1 required TEXT missing": only the name is worth telling.
      const std::string text = error.what();
      Problem(
          fmt::format("command line: {} has no value; see --help", text.substr(0, text.find(':'))));
    } catch (const CLI::ParseError& error) {
      Problem(fmt::format("command line: {}; see --help", error.what()));
    }
    bool after_unknown_flag = false;
    for (const std::string& extra : cli.remaining()) {
      if (extra.starts_with("-") && extra != "--") {
        const std::string name = extra.substr(0, extra.find('='));
        Problem(fmt::format("command line: {} is no flag{}; see --help", Shown(name),
                            Suggestion(name, FlagNames())));
        after_unknown_flag = name == extra;
        continue;
      }
      // What follows an unknown flag is probably its value: one mistake, not two.
      if (extra != "--" && !after_unknown_flag) {
        Problem(fmt::format("command line: {} is not allowed; allowed: flags, see --help",
                            Shown(extra)));
      }
      after_unknown_flag = false;
    }
    if (help) {
      line.action = Action::kHelp;
    } else if (version) {
      line.action = Action::kVersion;
    } else if (print_docs) {
      line.action = Action::kPrintConfigDocs;
    } else if (print_config) {
      line.action = Action::kPrintConfig;
    }
    return line;
  }

  /// The arguments with "--workers=4" as two words. CLI11 does that too, but takes "--context=" for
  /// a flag whose value comes next.
  std::vector<std::string> SplitFlags() const {
    std::vector<std::string> words;
    for (const std::string& argument : surroundings_.arguments) {
      const size_t equals = argument.find('=');
      const std::string name = argument.substr(0, equals);
      const bool takes_value = name == kConfigFlag ||
                               std::any_of(table_.begin(), table_.end(),
                                           [&](const Setting& s) { return s.FlagName() == name; });
      if (equals == std::string::npos || !takes_value) {
        words.push_back(argument);
      } else {
        words.push_back(name);
        words.push_back(argument.substr(equals + 1));
      }
    }
    return words;
  }

  std::vector<std::string> FlagNames() const {
    std::vector<std::string> names{"--help", "--version", "--print-config",
                                   std::string(kConfigFlag)};
    for (const Setting& setting : table_) names.push_back(setting.FlagName());
    return names;
  }

  std::optional<std::string> Variable(std::string_view name) const {
    for (const auto& [key, value] : surroundings_.environment) {
      // An empty variable is one that a manifest could not leave out.
      if (key == name && !value.empty()) return value;
    }
    return std::nullopt;
  }

  void ReadFile(const CommandLine& line) {
    std::string by = "--config";
    std::string& file = result_.file;
    if (line.config.size() > 1) {
      Problem("command line: --config is given twice; allowed: once");
    } else if (line.config.size() == 1) {
      file = line.config[0];
      if (file.empty())
        Problem("command line: --config: \"\" is not allowed; allowed: a file name");
    } else if (const auto named = Variable(kConfigVariable)) {
      file = *named;
      by = kConfigVariable;
    }
    if (file.empty()) return;
    const Result<std::string> text = surroundings_.read_file(file);
    if (!text.ok()) {
      Problem(fmt::format("{}: {}: {}; allowed: a YAML file that Roster may read", by, Shown(file),
                          text.error().message));
      return;
    }
    if (text->size() > kMaxFileSize) {
      Problem(fmt::format("{}: {} has more than {} bytes; allowed: at most so many", by,
                          Shown(file), kMaxFileSize));
      return;
    }
    const FileContent content = ReadYaml(*text);
    std::map<std::string, int> first_lines;
    for (const FileEntry& entry : content.entries) ReadEntry(entry, first_lines);
    if (!content.error.empty())
      Problem(fmt::format("{}:{}: {}", file, content.error_line, content.error));
  }

  void ReadEntry(const FileEntry& entry, std::map<std::string, int>& first_lines) {
    const std::string where = fmt::format("{}:{}", result_.file, entry.line);
    const auto found = std::find_if(table_.begin(), table_.end(),
                                    [&](const Setting& s) { return s.key == entry.key; });
    if (found == table_.end()) {
      std::vector<std::string> keys;
      for (const Setting& setting : table_) keys.emplace_back(setting.key);
      Problem(fmt::format("{}: {} is no setting{}; allowed: {}", where, Shown(entry.key),
                          Suggestion(entry.key, keys), Join(keys, ", ")));
      return;
    }
    if (const auto [first, fresh] = first_lines.emplace(entry.key, entry.line); !fresh) {
      Problem(fmt::format("{}: {} was given already in line {}; allowed: once", where, entry.key,
                          first->second));
      return;
    }
    const auto refuse = [&](std::string_view what) {
      Problem(fmt::format("{}: {}: {} is not allowed; allowed: {}", where, entry.key, what,
                          found->allowed));
    };
    switch (entry.kind) {
      case FileEntry::Kind::kNothing:
        return refuse("no value");
      case FileEntry::Kind::kOther:
        return refuse(found->list ? "a map, or a list of something else than names,"
                                  : "a map or list");
      case FileEntry::Kind::kList:
        if (!found->list)
          return refuse(fmt::format("a list ([{}])", Join(entry.values, ", ").substr(0, 100)));
        break;
      case FileEntry::Kind::kScalar:
        if (found->list)
          return refuse(fmt::format("{}, which is no list ([{}] is one),", Shown(entry.values[0]),
                                    entry.values[0].substr(0, 100)));
        break;
    }
    Set(static_cast<size_t>(found - table_.begin()), where + ": ", found->key, "file " + where,
        entry.values);
  }

  void ReadEnvironment() {
    std::vector<std::string> names{std::string(kConfigVariable)};
    for (size_t row = 0; row < table_.size(); ++row) {
      const std::string name = table_[row].EnvironmentName();
      names.push_back(name);
      if (const auto value = Variable(name)) {
        Set(row, "environment: ", name, "environment " + name,
            table_[row].list ? SplitCommas(*value) : std::vector<std::string>{*value});
      }
    }
    for (const auto& [name, value] : surroundings_.environment) {
      if (name.starts_with("ROSTER_") &&
          std::find(names.begin(), names.end(), name) == names.end() && !IsServiceVariable(name)) {
        result_.warnings.push_back(
            fmt::format("environment: {} is no setting of Roster and means nothing{}", Shown(name),
                        Suggestion(name, names)));
      }
    }
  }

  void ReadFlags(const CommandLine& line) {
    for (size_t row = 0; row < table_.size(); ++row) {
      const std::vector<std::string>& given = line.values[row];
      if (given.empty()) continue;
      const std::string flag = table_[row].FlagName();
      if (table_[row].list) {
        Set(row, "command line: ", flag, "flag " + flag, SplitCommas(Join(given, ",")));
      } else if (given.size() > 1) {
        Problem(fmt::format("command line: {} is given twice, as {}; allowed: once", flag,
                            ShownList(given)));
      } else {
        Set(row, "command line: ", flag, "flag " + flag, given);
      }
    }
  }

  const Surroundings& surroundings_;
  const std::span<const Setting> table_;
  Configuration result_;
  std::vector<std::string> problems_;
};

Result<std::string> ReadWholeFile(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return Error{ErrorKind::kInvalid, "is a directory"};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kForbidden,
                 std::generic_category().message(errno)};
  }
  std::string text(kMaxFileSize + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

Surroundings ProcessSurroundings(int argc, char** argv) {
  Surroundings surroundings;
  surroundings.arguments.assign(argv + std::min(argc, 1), argv + argc);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (const size_t equals = text.find('='); equals != std::string_view::npos) {
      surroundings.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  surroundings.read_file = ReadWholeFile;
  return surroundings;
}

Result<Configuration> Configure(const Surroundings& surroundings) {
  return Configurator(surroundings).Run();
}

}  // namespace roster::app
