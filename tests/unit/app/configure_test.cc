#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "app/settings.h"

namespace roster::app {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

/// A command line, an environment, and a file "roster.yaml" that --config names.
struct Given {
  Words arguments = {};
  std::map<std::string, std::string> environment = {};
  std::optional<std::string> file = std::nullopt;
};

Result<Configuration> Read(const Given& given) {
  Surroundings surroundings;
  surroundings.arguments = given.arguments;
  if (given.file)
    surroundings.arguments.insert(surroundings.arguments.begin(), "--config=roster.yaml");
  surroundings.environment.assign(given.environment.begin(), given.environment.end());
  surroundings.read_file = [&](const std::string& path) -> Result<std::string> {
    if (path == "roster.yaml" && given.file) return *given.file;
    return Error{ErrorKind::kNotFound, "No such file or directory"};
  };
  return Configure(surroundings);
}

/// What is wrong with it; "" if nothing is.
std::string ProblemsOf(const Given& given) {
  const auto configuration = Read(given);
  return configuration.ok() ? "" : configuration.error().message;
}

TEST(ConfigureTest, NothingGivenMeansTheDefaults) {
  const auto configuration = Read({});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings, Settings());
  EXPECT_EQ(configuration->action, Action::kRun);
  EXPECT_EQ(configuration->file, "");
  EXPECT_TRUE(configuration->warnings.empty());
  EXPECT_EQ(configuration->sources, Words(SettingsTable().size(), "default"));
}

Settings AllDifferent() {
  Settings settings;
  settings.kubeconfig = "/etc/kube config";
  settings.context = "staging: \"eu\"";
  settings.watch_namespaces = {"team-a", "team-b"};
  settings.workers = 4;
  settings.metrics_address = "[::1]:9000";
  settings.metrics_max_agents = 0;
  settings.log_level = LogLevel::kDebug;
  settings.log_format = LogFormat::kJson;
  settings.resync_interval = milliseconds(5'400'000);
  settings.shutdown_timeout = milliseconds(1'500);
  return settings;
}

TEST(ConfigureTest, ReadsEverySettingFromTheFile) {
  const auto configuration = Read({.file = R"(# all of them
kubeconfig: /etc/kube config
context: 'staging: "eu"'
watchNamespaces:
- team-a
- "team-b"
workers: 4
metricsAddress: "[::1]:9000"
metricsMaxAgents: 0
logLevel: debug
logFormat: "json"
resyncInterval: 1h30m
shutdownTimeout: 1s500ms
)"});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings, AllDifferent());
  EXPECT_EQ(configuration->file, "roster.yaml");
  EXPECT_EQ(configuration->sources[0], "file roster.yaml:2");
  EXPECT_EQ(configuration->sources[9], "file roster.yaml:13");
}

TEST(ConfigureTest, ReadsEverySettingFromTheEnvironment) {
  const auto configuration = Read({.environment = {{"ROSTER_KUBECONFIG", "/etc/kube config"},
                                                   {"ROSTER_CONTEXT", "staging: \"eu\""},
                                                   {"ROSTER_WATCH_NAMESPACES", "team-a, team-b"},
                                                   {"ROSTER_WORKERS", "4"},
                                                   {"ROSTER_METRICS_ADDRESS", "[::1]:9000"},
                                                   {"ROSTER_METRICS_MAX_AGENTS", "0"},
                                                   {"ROSTER_LOG_LEVEL", "debug"},
                                                   {"ROSTER_LOG_FORMAT", "json"},
                                                   {"ROSTER_RESYNC_INTERVAL", "90m"},
                                                   {"ROSTER_SHUTDOWN_TIMEOUT", "1500ms"}}});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings, AllDifferent());
  EXPECT_TRUE(configuration->warnings.empty());
  EXPECT_EQ(configuration->sources[3], "environment ROSTER_WORKERS");
}

TEST(ConfigureTest, ReadsEverySettingFromFlags) {
  const auto configuration =
      Read({.arguments = {"--kubeconfig", "/etc/kube config", "--context=staging: \"eu\"",
                          "--watch-namespaces", "team-a", "--watch-namespaces=team-b", "--workers",
                          "4", "--metrics-address", "[::1]:9000", "--metrics-max-agents=0",
                          "--log-level", "debug", "--log-format=json", "--resync-interval", "90m",
                          "--shutdown-timeout=1500ms"}});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings, AllDifferent());
  EXPECT_EQ(configuration->sources[3], "flag --workers");
}

// file < environment < flag, each setting for itself
TEST(ConfigureTest, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  const auto configuration =
      Read({.arguments = {"--workers=3"},
            .environment = {{"ROSTER_WORKERS", "2"}, {"ROSTER_LOG_LEVEL", "warn"}},
            .file = "workers: 1\nlogLevel: error\nlogFormat: json\n"});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings.workers, 3);
  EXPECT_EQ(configuration->settings.log_level, LogLevel::kWarn);
  EXPECT_EQ(configuration->settings.log_format, LogFormat::kJson);
}

TEST(ConfigureTest, AListFromAHigherSourceReplacesTheLowerOne) {
  const auto configuration =
      Read({.arguments = {"--watch-namespaces="}, .file = "watchNamespaces: [a, b]\n"});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings.watch_namespaces, Words());
  EXPECT_EQ(configuration->sources[2], "flag --watch-namespaces");
}

TEST(ConfigureTest, AnEmptyVariableIsNotSet) {
  const auto configuration =
      Read({.environment = {
                {"ROSTER_WORKERS", ""}, {"ROSTER_WATCH_NAMESPACES", ""}, {"ROSTER_CONFIG", ""}}});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->settings, Settings());
}

TEST(ConfigureTest, TheFileMayBeNamedByTheEnvironmentUnlessAFlagNamesAnother) {
  Surroundings surroundings;
  surroundings.read_file = [](const std::string& path) -> Result<std::string> {
    return std::string(path == "one.yaml" ? "workers: 1" : "workers: 2");
  };
  surroundings.environment = {{"ROSTER_CONFIG", "one.yaml"}};
  EXPECT_EQ(Configure(surroundings)->settings.workers, 1);
  surroundings.arguments = {"--config", "two.yaml"};
  EXPECT_EQ(Configure(surroundings)->settings.workers, 2);
}

TEST(ConfigureTest, AnEmptyFileIsFine) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "--- {}\n", "{}", "---\n...\n"}) {
    EXPECT_EQ(ProblemsOf({.file = text}), "") << text;
  }
}

struct Bad {
  const char* what;
  Given given;
  /// Where it stands, the key, the value, what is allowed.
  Words said;
};

constexpr const char* kWorkers = "allowed: a whole number from 1 to 256";
constexpr const char* kAddress =
    "allowed: HOST:PORT, :PORT or [IPv6]:PORT with a port from 0 to 65535";
constexpr const char* kLevels = "allowed: debug, info, warn or error";
constexpr const char* kNames = "allowed: names of namespaces, each once, at most 100";
constexpr const char* kKeys =
    "allowed: kubeconfig, context, watchNamespaces, workers, metricsAddress, metricsMaxAgents, "
    "logLevel, logFormat, "
    "resyncInterval, shutdownTimeout";

std::string ManyNames() {
  std::string names;
  for (int i = 0; i < 101; ++i) names += "ns" + std::to_string(i) + ",";
  return names;
}

TEST(ConfigureTest, RefusesWhatIsWrongAndSaysWhereWhatAndWhatIsAllowed) {
  const std::vector<Bad> table{
      // The file: keys
      {"unknown key",
       {.file = "colour: red\n"},
       {"roster.yaml:1", "\"colour\" is no setting", kKeys}},
      {"mistyped key",
       {.file = "workers: 2\nlogLevle: info\n"},
       {"roster.yaml:2", "\"logLevle\" is no setting", "did you mean logLevel?", kKeys}},
      {"key in the environment's style",
       {.file = "log_level: info\n"},
       {"roster.yaml:1", "\"log_level\"", "did you mean logLevel?"}},
      {"key in the flag's style",
       {.file = "watch-namespaces: [a]\n"},
       {"\"watch-namespaces\"", "did you mean watchNamespaces?"}},
      {"duplicate key",
       {.file = "workers: 2\n\nworkers: 3\n"},
       {"roster.yaml:3", "workers", "given already in line 1", "allowed: once"}},
      {"nested key",
       {.file = "workers:\n  count: 2\n"},
       {"roster.yaml:1: workers: a map or list", kWorkers}},
      {"merge key", {.file = "<<: {workers: 2}\n"}, {"roster.yaml:1", "\"<<\" is no setting"}},
      {"null key", {.file = "~: 2\n"}, {"roster.yaml:1", "a key is missing"}},
      {"list for a key",
       {.file = "[a]: 2\n"},
       {"roster.yaml:1", "a list or map stands where a key is needed"}},
      {"key with a control character",
       {.file = "\"work\\aers\": 2\n"},
       {"roster.yaml:1", "\"work\\x07ers\" is no setting"}},
      // The file: types
      {"no value",
       {.file = "logLevel: info\nworkers:\n"},
       {"roster.yaml:2: workers: no value", kWorkers}},
      {"null", {.file = "workers: ~\n"}, {"roster.yaml:1: workers: no value", kWorkers}},
      {"list for a number",
       {.file = "workers: [2, 3]\n"},
       {"roster.yaml:1: workers: a list ([2, 3])", kWorkers}},
      {"text for a number",
       {.file = "workers: many\n"},
       {"roster.yaml:1: workers: \"many\"", kWorkers}},
      {"fraction for a number",
       {.file = "\n\nworkers: 2.5\n"},
       {"roster.yaml:3: workers: \"2.5\"", kWorkers}},
      {"boolean for a word",
       {.file = "logLevel: true\n"},
       {"roster.yaml:1: logLevel: \"true\"", kLevels}},
      {"text for a list",
       {.file = "watchNamespaces: team-a\n"},
       {"roster.yaml:1: watchNamespaces: \"team-a\", which is no list ([team-a] is one)", kNames}},
      {"list in a list",
       {.file = "watchNamespaces: [a, [b]]\n"},
       {"roster.yaml:1: watchNamespaces: a map, or a list of something else than names", kNames}},
      {"map for a list",
       {.file = "watchNamespaces: {a: b}\n"},
       {"roster.yaml:1: watchNamespaces: a map", kNames}},
      {"null in a list",
       {.file = "watchNamespaces: [a, ~]\n"},
       {"roster.yaml:1: watchNamespaces", kNames}},
      {"number for a duration",
       {.file = "resyncInterval: 30\n"},
       {"roster.yaml:1: resyncInterval: \"30\"", "allowed: a duration from 1s to 168h"}},
      // The file: ranges
      {"too few workers", {.file = "workers: 0\n"}, {"roster.yaml:1: workers: \"0\"", kWorkers}},
      {"too many workers",
       {.file = "workers: 257\n"},
       {"roster.yaml:1: workers: \"257\"", kWorkers}},
      {"negative workers", {.file = "workers: -1\n"}, {"roster.yaml:1: workers: \"-1\"", kWorkers}},
      {"more than an int holds",
       {.file = "workers: 99999999999999999999\n"},
       {"workers: \"99999999999999999999\"", kWorkers}},
      {"negative cap",
       {.file = "metricsMaxAgents: -1\n"},
       {"metricsMaxAgents: \"-1\"", "allowed: a whole number from 0 to 1000000"}},
      {"too short a resync",
       {.file = "resyncInterval: 999ms\n"},
       {"resyncInterval: \"999ms\"", "allowed: a duration from 1s to 168h"}},
      {"too long a resync",
       {.file = "resyncInterval: 169h\n"},
       {"resyncInterval: \"169h\"", "allowed: a duration from 1s to 168h"}},
      {"unit that is none",
       {.file = "shutdownTimeout: 5sec\n"},
       {"shutdownTimeout: \"5sec\"", "allowed: a duration from 100ms to 10m"}},
      {"too long a stop",
       {.file = "shutdownTimeout: 11m\n"},
       {"shutdownTimeout: \"11m\"", "allowed: a duration from 100ms to 10m"}},
      {"capital namespace",
       {.file = "watchNamespaces: [Team]\n"},
       {"watchNamespaces: \"Team\"", kNames}},
      {"namespace twice",
       {.file = "watchNamespaces: [a, b, a]\n"},
       {"watchNamespaces: \"a,b,a\"", kNames}},
      {"namespace too long",
       {.file = "watchNamespaces: [" + std::string(64, 'a') + "]\n"},
       {"watchNamespaces", std::string(64, 'a'), kNames}},
      {"namespace ends in a dash",
       {.file = "watchNamespaces: [a-]\n"},
       {"watchNamespaces: \"a-\"", kNames}},
      {"empty namespace", {.file = "watchNamespaces: ['']\n"}, {"watchNamespaces: \"\"", kNames}},
      {"address without a port",
       {.file = "metricsAddress: localhost\n"},
       {"metricsAddress: \"localhost\"", kAddress}},
      {"port too large",
       {.file = "metricsAddress: ':65536'\n"},
       {"metricsAddress: \":65536\"", kAddress}},
      {"address without brackets",
       {.file = "metricsAddress: '::1:8081'\n"},
       {"metricsAddress: \"::1:8081\"", kAddress}},
      {"address with a scheme",
       {.file = "metricsAddress: http://x:80\n"},
       {"metricsAddress: \"http://x:80\"", kAddress}},
      {"control character in a name",
       {.file = "kubeconfig: \"a\\nb\"\n"},
       {"kubeconfig: \"a\\x0ab\"", "allowed: a file name"}},
      {"long value",
       {.file = "context: " + std::string(5000, 'x') + "\n"},
       {"context: \"" + std::string(100, 'x') + "...\"", "allowed: a context's name"}},
      // The file: YAML
      {"no YAML", {.file = "workers: 2\nlogLevel: [info\n"}, {"roster.yaml:", "not YAML"}},
      {"tab for indentation", {.file = "watchNamespaces:\n\t- a\n"}, {"roster.yaml:", "not YAML"}},
      {"a list",
       {.file = "- workers\n"},
       {"roster.yaml:1", "a list stands where lines of \"key: value\" are needed"}},
      {"a word",
       {.file = "workers\n"},
       {"roster.yaml:1", "\"workers\" is no setting", "allowed: lines of \"key: value\""}},
      {"two documents",
       {.file = "workers: 2\n---\nworkers: 3\n"},
       {"roster.yaml:2", "a second document begins; allowed: one"}},
      {"alias",
       {.file = "kubeconfig: &a x\ncontext: *a\n"},
       {"roster.yaml:2", "aliases (*name) are not allowed"}},
      {"deep nesting",
       {.file = "workers: " + std::string(100'000, '[')},
       {"roster.yaml:1", "nested deeper than 16 levels"}},
      {"deep block nesting",
       {.file = "workers:\n  " +
                [] {
                  std::string s;
                  for (int i = 0; i < 5000; ++i) s += "- ";
                  return s;
                }() +
                "x\n"},
       {"roster.yaml:2", "nested deeper than 16 levels"}},
      {"too large",
       {.file = "#" + std::string(kMaxFileSize, 'x')},
       {"--config", "\"roster.yaml\"", "more than 1048576 bytes"}},
      {"no file",
       {.arguments = {"--config", "gone.yaml"}},
       {"--config", "\"gone.yaml\"", "No such file or directory",
        "allowed: a YAML file that Roster may read"}},
      {"no file, by the environment",
       {.environment = {{"ROSTER_CONFIG", "gone.yaml"}}},
       {"ROSTER_CONFIG", "\"gone.yaml\"", "No such file or directory"}},
      // The environment
      {"variable out of range",
       {.environment = {{"ROSTER_WORKERS", "1000"}}},
       {"environment: ROSTER_WORKERS: \"1000\"", kWorkers}},
      {"variable of a wrong type",
       {.environment = {{"ROSTER_WORKERS", " 4"}}},
       {"environment: ROSTER_WORKERS: \" 4\"", kWorkers}},
      {"variable with a wrong word",
       {.environment = {{"ROSTER_LOG_LEVEL", "INFO"}}},
       {"environment: ROSTER_LOG_LEVEL: \"INFO\"", kLevels}},
      {"variable with a wrong list",
       {.environment = {{"ROSTER_WATCH_NAMESPACES", "a,b_c"}}},
       {"environment: ROSTER_WATCH_NAMESPACES: \"a,b_c\"", kNames}},
      {"too many namespaces",
       {.environment = {{"ROSTER_WATCH_NAMESPACES", ManyNames()}}},
       {"environment: ROSTER_WATCH_NAMESPACES: \"ns0,ns1,", kNames}},
      {"overridden, and yet wrong",
       {.arguments = {"--workers=2"}, .environment = {{"ROSTER_WORKERS", "x"}}},
       {"environment: ROSTER_WORKERS: \"x\"", kWorkers}},
      // Flags
      {"unknown flag",
       {.arguments = {"--colour=red"}},
       {"command line: \"--colour\" is no flag", "see --help"}},
      {"mistyped flag",
       {.arguments = {"--log-levl", "info"}},
       {"command line: \"--log-levl\" is no flag; did you mean --log-level?"}},
      {"flag in the file's style",
       {.arguments = {"--watchNamespaces=a"}},
       {"\"--watchNamespaces\" is no flag; did you mean --watch-namespaces?"}},
      {"unknown short flag", {.arguments = {"-x"}}, {"command line: \"-x\" is no flag"}},
      {"no flag",
       {.arguments = {"start"}},
       {"command line: \"start\" is not allowed", "allowed: flags"}},
      {"flag without a value",
       {.arguments = {"--workers"}},
       {"command line: --workers has no value", "see --help"}},
      {"flag with an empty value",
       {.arguments = {"--workers="}},
       {"command line: --workers: \"\"", kWorkers}},
      {"flag out of range",
       {.arguments = {"--workers=0"}},
       {"command line: --workers: \"0\"", kWorkers}},
      {"flag with a negative value",
       {.arguments = {"--workers", "-1"}},
       {"command line: --workers: \"-1\"", kWorkers}},
      {"flag given twice",
       {.arguments = {"--workers=2", "--workers=3"}},
       {"command line: --workers is given twice, as \"2,3\"", "allowed: once"}},
      {"--config given twice",
       {.arguments = {"--config=a", "--config=b"}},
       {"command line: --config is given twice", "allowed: once"}},
      {"--config without a name",
       {.arguments = {"--config="}},
       {"command line: --config: \"\"", "allowed: a file name"}},
      {"wrong format",
       {.arguments = {"--log-format", "xml"}},
       {"command line: --log-format: \"xml\"", "allowed: text or json"}},
  };
  EXPECT_GE(table.size(), 60U);
  for (const Bad& bad : table) {
    SCOPED_TRACE(bad.what);
    const std::string problems = ProblemsOf(bad.given);
    EXPECT_NE(problems, "");
    for (const std::string& said : bad.said) EXPECT_THAT(problems, HasSubstr(said));
    EXPECT_EQ(problems.find('\n'), std::string::npos) << "one mistake, one line: " << problems;
  }
}

TEST(ConfigureTest, NamesEveryMistakeAtOnce) {
  EXPECT_EQ(ProblemsOf({.arguments = {"--log-level=loud"},
                        .environment = {{"ROSTER_LOG_FORMAT", "xml"}},
                        .file = "workers: 0\ncolour: red\n"}),
            std::string("roster.yaml:1: workers: \"0\" is not allowed; ") + kWorkers +
                "\nroster.yaml:2: \"colour\" is no setting; " + kKeys +
                "\nenvironment: ROSTER_LOG_FORMAT: \"xml\" is not allowed; allowed: text or json"
                "\ncommand line: --log-level: \"loud\" is not allowed; " +
                kLevels);
}

TEST(ConfigureTest, WarnsAboutVariablesThatMeanNothing) {
  const auto configuration =
      Read({.environment = {{"ROSTER_WORKER", "4"}, {"ROSTERS", "x"}, {"PATH", "/bin"}}});
  ASSERT_TRUE(configuration.ok());
  EXPECT_EQ(configuration->warnings, Words{"environment: \"ROSTER_WORKER\" is no setting of Roster "
                                           "and means nothing; did you mean ROSTER_WORKERS?"});
}

// Kubernetes puts these into every pod of a namespace that has a Service called roster or
// roster-metrics.
TEST(ConfigureTest, DoesNotWarnAboutVariablesThatKubernetesSetsForServices) {
  const auto configuration = Read({.environment = {{"ROSTER_SERVICE_HOST", "10.0.0.1"},
                                                   {"ROSTER_SERVICE_PORT", "80"},
                                                   {"ROSTER_SERVICE_PORT_METRICS", "8081"},
                                                   {"ROSTER_PORT", "tcp://10.0.0.1:80"},
                                                   {"ROSTER_PORT_80_TCP", "tcp://10.0.0.1:80"},
                                                   {"ROSTER_PORT_80_TCP_ADDR", "10.0.0.1"},
                                                   {"ROSTER_METRICS_SERVICE_HOST", "10.0.0.1"},
                                                   {"ROSTER_METRICS_PORT_8081_TCP_PROTO", "tcp"}}});
  ASSERT_TRUE(configuration.ok());
  EXPECT_EQ(configuration->warnings, Words());
}

TEST(ConfigureTest, NoSettingLooksLikeAVariableThatKubernetesSets) {
  for (const Setting& setting : SettingsTable()) {
    EXPECT_THAT(setting.EnvironmentName(), Not(HasSubstr("_PORT")));
    EXPECT_THAT(setting.EnvironmentName(), Not(HasSubstr("_SERVICE_")));
  }
}

TEST(ConfigureTest, WhoAsksForHelpGetsItWhateverElseIsWrong) {
  EXPECT_EQ(Read({.arguments = {"--workers=0", "--help", "--nonsense"}})->action, Action::kHelp);
  EXPECT_EQ(Read({.arguments = {"-h"}, .file = "nonsense"})->action, Action::kHelp);
  EXPECT_EQ(Read({.arguments = {"--version"}, .environment = {{"ROSTER_WORKERS", "x"}}})->action,
            Action::kVersion);
  EXPECT_EQ(Read({.arguments = {"--print-config-docs"}})->action, Action::kPrintConfigDocs);
}

TEST(SettingsTest, NamesFollowFromTheKey) {
  std::map<std::string, std::pair<std::string, std::string>> names;
  for (const Setting& setting : SettingsTable()) {
    names[std::string(setting.key)] = {setting.EnvironmentName(), setting.FlagName()};
  }
  EXPECT_EQ(names.size(), SettingsTable().size()) << "a key stands twice in the table";
  EXPECT_EQ(names["watchNamespaces"],
            std::pair(std::string("ROSTER_WATCH_NAMESPACES"), std::string("--watch-namespaces")));
  EXPECT_EQ(names["metricsMaxAgents"], std::pair(std::string("ROSTER_METRICS_MAX_AGENTS"),
                                                 std::string("--metrics-max-agents")));
  EXPECT_EQ(names["kubeconfig"],
            std::pair(std::string("ROSTER_KUBECONFIG"), std::string("--kubeconfig")));
}

// The table says in words what the struct says in code.
TEST(SettingsTest, TheDefaultsInTheTableAreTheOnesInForce) {
  for (const Setting& setting : SettingsTable()) {
    const Words values = setting.get(Settings());
    const std::string value = values.empty() ? "" : values[0];
    // Where the default is no value, the table describes it.
    if (value.empty()) continue;
    EXPECT_EQ(setting.fallback, value) << setting.key;
  }
}

TEST(SettingsTest, EachSettingReadsBackWhatItWrites) {
  for (const Setting& setting : SettingsTable()) {
    Settings settings;
    ASSERT_TRUE(setting.set(settings, setting.get(AllDifferent()))) << setting.key;
    EXPECT_FALSE(settings == Settings()) << setting.key << " changed nothing";
    EXPECT_EQ(setting.get(settings), setting.get(AllDifferent())) << setting.key;
    ASSERT_TRUE(setting.set(settings, setting.get(Settings()))) << setting.key;
    EXPECT_EQ(settings, Settings()) << setting.key << " touches another setting";
  }
}

TEST(SettingsTest, HelpTellsAllOfEverySetting) {
  const std::string help = HelpText();
  // Words are what counts: lines are broken where they get too long.
  std::string flowing;
  for (const char c : help) {
    if (c != '\n' && !(c == ' ' && flowing.ends_with(' '))) flowing += c;
    if (c == '\n' && !flowing.ends_with(' ')) flowing += ' ';
  }
  for (const Setting& setting : SettingsTable()) {
    EXPECT_THAT(flowing, HasSubstr(setting.FlagName() + " " + std::string(setting.value)));
    EXPECT_THAT(flowing, HasSubstr("YAML key: " + std::string(setting.key)));
    EXPECT_THAT(flowing, HasSubstr("environment: " + setting.EnvironmentName()));
    EXPECT_THAT(flowing, HasSubstr("default: " + std::string(setting.fallback)));
    EXPECT_THAT(flowing, HasSubstr("allowed: " + std::string(setting.allowed)));
    EXPECT_THAT(flowing, HasSubstr(std::string(setting.meaning)));
  }
  for (const char* flag : {"--config", "ROSTER_CONFIG", "--print-config", "--version", "--help"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

std::string DocsText() {
  std::ifstream file(std::string(ROSTER_SOURCE_DIR) + "/docs/configuration.md");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// To mend it: roster --print-config-docs
TEST(SettingsTest, TheDocumentationHasTheTableOfTheCode) {
  const std::string docs = DocsText();
  const std::string begin = "<!-- begin: roster --print-config-docs -->\n";
  const size_t from = docs.find(begin);
  const size_t to = docs.find("<!-- end -->");
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(docs.substr(from + begin.size(), to - from - begin.size()), SettingsMarkdown());
}

TEST(SettingsTest, TheExampleInTheDocumentationIsAccepted) {
  const std::string docs = DocsText();
  const size_t from = docs.find("```yaml\n");
  ASSERT_NE(from, std::string::npos);
  const size_t to = docs.find("```", from + 3);
  ASSERT_NE(to, std::string::npos);
  const auto configuration = Read({.file = docs.substr(from + 8, to - from - 8)});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_FALSE(configuration->settings == Settings());
}

TEST(PrintConfigTest, NamesEachValueAndItsSource) {
  const auto configuration = Read({.arguments = {"--workers=3", "--print-config"},
                                   .environment = {{"ROSTER_WATCH_NAMESPACES", "a,b"}},
                                   .file = "\nlogLevel: warn\n"});
  ASSERT_TRUE(configuration.ok()) << configuration.error().message;
  EXPECT_EQ(configuration->action, Action::kPrintConfig);
  EXPECT_EQ(PrintConfig(*configuration),
            "kubeconfig: \"\"  # default\n"
            "context: \"\"  # default\n"
            "watchNamespaces: [\"a\", \"b\"]  # environment ROSTER_WATCH_NAMESPACES\n"
            "workers: 3  # flag --workers\n"
            "metricsAddress: \":8081\"  # default\n"
            "metricsMaxAgents: 10000  # default\n"
            "logLevel: \"warn\"  # file roster.yaml:2\n"
            "logFormat: \"text\"  # default\n"
            "resyncInterval: 10h  # default\n"
            "shutdownTimeout: 5s  # default\n");
}

TEST(PrintConfigTest, IsAFileThatSaysTheSame) {
  Configuration configuration;
  configuration.settings = AllDifferent();
  configuration.sources.assign(SettingsTable().size(), "default");
  const auto again = Read({.file = PrintConfig(configuration)});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->settings, AllDifferent());
}

}  // namespace
}  // namespace roster::app
