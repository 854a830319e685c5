// The real binary, without an API server: what its command line answers, and how it ends.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/settings.h"
#include "app/version.h"
#include "unit/app/fake_signals.h"

namespace roster::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class CliTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    fs::remove_all(dir_);
  }

  /// Starts it with an empty environment but for `environment`; its output goes to files, or
  /// nowhere with `closed`.
  void Start(const Words& arguments, const Words& environment = {}, bool closed = false) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (closed) {
      posix_spawn_file_actions_addclose(&actions, 0);
      posix_spawn_file_actions_addclose(&actions, 1);
      posix_spawn_file_actions_addclose(&actions, 2);
    } else {
      posix_spawn_file_actions_addopen(&actions, 1, Path("out").c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
      posix_spawn_file_actions_addopen(&actions, 2, Path("err").c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    Words all{ROSTER_BINARY};
    all.insert(all.end(), arguments.begin(), arguments.end());
    Words variables = environment;
    std::vector<char*> argv;
    std::vector<char*> envp;
    for (std::string& word : all) argv.push_back(word.data());
    for (std::string& word : variables) envp.push_back(word.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    ASSERT_EQ(posix_spawn(&pid_, ROSTER_BINARY, &actions, nullptr, argv.data(), envp.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  /// Its exit code, or minus the signal that ended it.
  int End() {
    int status = 0;
    const bool ended = Eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return -1000;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int Run(const Words& arguments, const Words& environment = {}) {
    Start(arguments, environment);
    return End();
  }
  std::string Path(const std::string& name) const { return (dir_ / name).string(); }
  std::string Text(const std::string& name) const {
    std::ifstream file(dir_ / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ / name) << text;
  }
  /// A kubeconfig for an API server that is not there: port 9 of this machine is the discard
  /// service, which nobody runs.
  std::string Kubeconfig() const {
    Write("kubeconfig",
          "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
          "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:9'}}]\n"
          "users: [{name: u, user: {token: secret}}]\n"
          "contexts: [{name: c, context: {cluster: k, user: u}}]\n");
    return Path("kubeconfig");
  }

  const fs::path dir_ = fs::temp_directory_path() / ("roster-cli-" + std::to_string(getpid()));
  pid_t pid_ = 0;
};

TEST_F(CliTest, AnswersHelpVersionAndDocs) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_EQ(Text("out"), HelpText());
  EXPECT_EQ(Text("err"), "");
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_EQ(Text("out"), VersionLine() + "\n");
  EXPECT_EQ(Run({"--print-config-docs"}), 0);
  EXPECT_EQ(Text("out"), SettingsMarkdown());
}

TEST_F(CliTest, PrintsTheConfigurationFromAllSources) {
  Write("roster.yaml", "logLevel: debug\n");
  EXPECT_EQ(Run({"--config", Path("roster.yaml"), "--workers=2", "--print-config"},
                {"ROSTER_LOG_FORMAT=json", "ROSTER_LOG=1"}),
            0);
  EXPECT_THAT(Text("out"), HasSubstr("workers: 2  # flag --workers\n"));
  EXPECT_THAT(Text("out"),
              HasSubstr("logLevel: \"debug\"  # file " + Path("roster.yaml") + ":1\n"));
  EXPECT_THAT(Text("out"), HasSubstr("logFormat: \"json\"  # environment ROSTER_LOG_FORMAT\n"));
  EXPECT_THAT(Text("err"), HasSubstr("\"ROSTER_LOG\" is no setting"));
}

TEST_F(CliTest, ABadConfigurationEndsItWithTwo) {
  Write("roster.yaml", "workers: 2\nworkres: 3\n");
  EXPECT_EQ(Run({"--config", Path("roster.yaml"), "--log-level=loud"}), 2);
  EXPECT_EQ(Text("out"), "");
  EXPECT_THAT(Text("err"), HasSubstr("roster: " + Path("roster.yaml") +
                                     ":2: \"workres\" is no setting; did you mean workers?"));
  EXPECT_THAT(Text("err"),
              HasSubstr("\nroster: command line: --log-level: \"loud\" is not allowed"));
  EXPECT_THAT(
      Text("err"),
      HasSubstr(
          "\nroster: the configuration cannot be used; nothing was started. See roster --help.\n"));
}

TEST_F(CliTest, AFileThatCannotBeReadEndsItWithTwo) {
  EXPECT_EQ(Run({"--config", Path("gone.yaml")}), 2);
  EXPECT_THAT(Text("err"), HasSubstr("No such file or directory"));
  EXPECT_EQ(Run({"--config", dir_.string()}), 2);
  EXPECT_THAT(Text("err"), HasSubstr("is a directory"));
  Write("large.yaml", "#" + std::string(kMaxFileSize, 'x'));
  EXPECT_EQ(Run({"--config", Path("large.yaml")}), 2);
  EXPECT_THAT(Text("err"), HasSubstr("more than 1048576 bytes"));
}

TEST_F(CliTest, AKubeconfigThatCannotBeUsedEndsItWithTwoAndAMend) {
  EXPECT_EQ(Run({"--kubeconfig", Path("gone"), "--metrics-address=:0"}), 2);
  EXPECT_THAT(Text("err"), HasSubstr("level=error msg=\"API server cannot be addressed\""));
  EXPECT_THAT(Text("err"), HasSubstr(Path("gone")));
  EXPECT_THAT(Text("err"), HasSubstr("mend="));
}

TEST_F(CliTest, WaitsForTheApiServerAndStopsWhenAsked) {
  Start({"--kubeconfig", Kubeconfig(), "--metrics-address=:0"});
  ASSERT_TRUE(Eventually([&] {
    return Text("err").find("msg=\"API server does not answer; trying again\"") !=
           std::string::npos;
  })) << Text("err");
  kill(pid_, SIGTERM);
  EXPECT_EQ(End(), 0);
  EXPECT_EQ(Text("out"), "");
  const std::string log = Text("err");
  size_t at = 0;
  for (const char* line :
       {"level=info msg=\"starting\" version=",
        "level=info msg=\"configuration read\" file=none watch_namespaces=all workers=16",
        "level=info msg=\"credentials found\" server=http://127.0.0.1:9",
        "level=info msg=\"serving probes and metrics\" address=:0 port=",
        "level=warn msg=\"API server does not answer; trying again\"",
        "level=info msg=\"stopping\" signal=SIGTERM timeout=5s", "level=info msg=\"stopped\""}) {
    const size_t found = log.find(line, at);
    EXPECT_NE(found, std::string::npos) << line << " is missing, or out of order, in\n" << log;
    if (found != std::string::npos) at = found;
  }
}

TEST_F(CliTest, EndsAsEverWithAllStandardStreamsClosed) {
  Start({"--version"}, {}, /*closed=*/true);
  EXPECT_EQ(End(), 0);
  Start({"--workers=0"}, {}, /*closed=*/true);
  EXPECT_EQ(End(), 2);
  Start({"--kubeconfig", Path("gone")}, {}, /*closed=*/true);
  EXPECT_EQ(End(), 2);
}

// Else the first socket would become standard error, and get the log.
TEST_F(CliTest, OpensStandardStreamsThatAreClosed) {
  Start({"--kubeconfig", Kubeconfig(), "--metrics-address=:0"}, {}, /*closed=*/true);
  const std::string proc = "/proc/" + std::to_string(pid_);
  ASSERT_TRUE(Eventually([&] {
    std::error_code error;
    return std::distance(fs::directory_iterator(proc + "/task", error), fs::directory_iterator()) >=
           3;
  }));
  for (int fd = 0; fd <= 2; ++fd) {
    std::error_code error;
    EXPECT_EQ(fs::read_symlink(proc + "/fd/" + std::to_string(fd), error), "/dev/null");
  }
}

TEST_F(CliTest, AnAddressThatIsTakenEndsItWithOneAndAMend) {
  Start({"--kubeconfig", Kubeconfig(), "--metrics-address=:0"});
  std::string port;
  ASSERT_TRUE(Eventually([&] {
    const std::string log = Text("err");
    const size_t at = log.find(" port=");
    if (at == std::string::npos) return false;
    const size_t end = log.find('\n', at);
    if (end == std::string::npos) return false;
    port = log.substr(at + 6, end - at - 6);
    return true;
  }));
  const pid_t first = pid_;
  EXPECT_EQ(Run({"--kubeconfig", Kubeconfig(), "--metrics-address=:" + port}), 1);
  EXPECT_THAT(Text("err"),
              HasSubstr("level=error msg=\"cannot serve probes and metrics\" address=:" + port));
  EXPECT_THAT(Text("err"), HasSubstr("--metrics-address"));
  pid_ = first;  // for TearDown
}

}  // namespace
}  // namespace roster::app
