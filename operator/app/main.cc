// The operator's entry: from the command line to an exit code.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "app/app.h"
#include "app/settings.h"
#include "app/signals.h"
#include "app/version.h"
#include "app/wiring.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"

namespace roster::app {
namespace {

/// Opens what the parent closed, or the first socket would become standard error and get the log.
void OpenStandardStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) == -1)
      open("/dev/null", O_RDWR);  // takes the lowest number that is free: this one
  }
}

void Print(FILE* stream, const std::string& text) {
  fwrite(text.data(), 1, text.size(), stream);
}

/// One line for each thing that is wrong. There is no logger yet: its settings are among what could
/// not be read.
int Refuse(const std::string& problems) {
  std::string text = "roster: ";
  for (const char c : problems) text += c == '\n' ? std::string("\nroster: ") : std::string(1, c);
  Print(
      stderr,
      text +
          "\nroster: the configuration cannot be used; nothing was started. See roster --help.\n");
  return kExitBadConfiguration;
}

void LogConfiguration(const Configuration& configuration, const Logger& log) {
  const Settings& settings = configuration.settings;
  log.Info("starting", {{"version", ThisBuild().version}, {"commit", ThisBuild().commit}});
  std::string namespaces;
  for (const std::string& ns : settings.watch_namespaces)
    namespaces += (namespaces.empty() ? "" : ",") + ns;
  log.Info("configuration read",
           {{"file", configuration.file.empty() ? "none" : configuration.file},
            {"watch_namespaces", namespaces.empty() ? "all" : namespaces},
            {"workers", settings.workers},
            {"resync_interval", FormatDuration(settings.resync_interval)},
            {"shutdown_timeout", FormatDuration(settings.shutdown_timeout)}});
  for (const std::string& warning : configuration.warnings) {
    log.Warn("part of the configuration means nothing", {{"detail", warning}});
  }
}

int Operate(const Configuration& configuration) {
  const SystemClock clock;
  const Settings& settings = configuration.settings;
  const Logger log(StderrSink(), settings.log_level, settings.log_format);
  // Before anything makes a thread.
  const auto signals = TakeSignals(clock);
  LogConfiguration(configuration, log);
  if (!signals.ok()) {
    log.Error("cannot start", {{"error", signals.error().message}});
    return kExitFailed;
  }
  const auto wiring = Wiring::Make(settings, clock, log);
  if (!wiring.ok()) {
    log.Error("API server cannot be addressed",
              {{"error", wiring.error().message},
               {"mend", "name a usable kubeconfig with --kubeconfig and --context"}});
    return kExitBadConfiguration;
  }
  App app(settings, (*wiring)->TakeSteps(), **signals, clock, log, RandomJitter());
  const App::Exit exit = app.Run();
  if (exit.at_once) _exit(exit.code);
  return exit.code;
}

int Main(int argc, char** argv) {
  const Result<Configuration> configuration = Configure(ProcessSurroundings(argc, argv));
  if (!configuration.ok()) return Refuse(configuration.error().message);
  switch (configuration->action) {
    case Action::kHelp:
      Print(stdout, HelpText());
      return kExitStopped;
    case Action::kVersion:
      Print(stdout, VersionLine() + "\n");
      return kExitStopped;
    case Action::kPrintConfigDocs:
      Print(stdout, SettingsMarkdown());
      return kExitStopped;
    case Action::kPrintConfig:
      for (const std::string& warning : configuration->warnings)
        Print(stderr, "roster: " + warning + "\n");
      Print(stdout, PrintConfig(*configuration));
      return kExitStopped;
    case Action::kRun:
      break;
  }
  return Operate(*configuration);
}

}  // namespace
}  // namespace roster::app

int main(int argc, char** argv) {
  roster::app::OpenStandardStreams();
  signal(SIGPIPE, SIG_IGN);  // a peer that went away is an error of that write, not the end
  int code = roster::app::kExitFailed;
  try {
    code = roster::app::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "roster: failed: {}\n", error.what());
  } catch (...) {
    fmt::print(stderr, "roster: failed: an exception that is no std::exception\n");
  }
  // Everything of ours has ended. cpprestsdk joins its threads in a static destructor, where one of
  // them may wait for ever for a task that no thread is left to run.
  std::fflush(nullptr);
  _exit(code);
}
