#include "app/probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace roster::app {
namespace {

constexpr int kNotReady = 503;
constexpr const char* kPlainText = "text/plain; charset=utf-8";

/// True if `query` has the parameter `name`, with any value: ?verbose, ?verbose=1, ?a=b&verbose.
bool HasParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    if (parameter.substr(0, parameter.find('=')) == name) return true;
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
  }
  return false;
}

std::string OneLine(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

/// All of `checks`. Says more than "ok" if asked to, or if a check failed that decides.
http::ServerResponse Answer(std::string_view probe, const std::vector<Check>& checks,
                            bool verbose) {
  const bool passed = std::none_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.decides && check.failure;
  });
  if (passed && !verbose) return {200, kPlainText, "ok"};
  std::string body;
  for (const Check& check : checks) {
    body += check.failure ? fmt::format("[-]{} failed: {}\n", check.name, OneLine(*check.failure))
                          : fmt::format("[+]{} ok\n", check.name);
  }
  body += fmt::format("{} check {}\n", probe, passed ? "passed" : "failed");
  return {passed ? 200 : kNotReady, kPlainText, body};
}

/// One check alone. Whoever asks for it by name is told how it is, whether it decides or not.
http::ServerResponse AnswerOne(const Check& check) {
  if (!check.failure) return {200, kPlainText, "ok"};
  return {kNotReady, kPlainText,
          fmt::format("[-]{} failed: {}\n", check.name, OneLine(*check.failure))};
}

/// The answer if `request` is about this probe.
std::optional<http::ServerResponse> AnswerProbe(std::string_view probe,
                                                const std::vector<Check>& checks,
                                                const http::ServerRequest& request) {
  std::string_view rest = request.path;
  if (!rest.starts_with('/') || !rest.substr(1).starts_with(probe)) return std::nullopt;
  rest.remove_prefix(1 + probe.size());
  if (rest.empty() || rest == "/")
    return Answer(probe, checks, HasParameter(request.query, "verbose"));
  for (const Check& check : checks) {
    if (rest.front() == '/' && rest.substr(1) == check.name) return AnswerOne(check);
  }
  return std::nullopt;
}

std::string PathsOf(std::string_view probe, const std::vector<Check>& checks) {
  std::string paths = fmt::format("/{0}\n/{0}?verbose\n", probe);
  for (const Check& check : checks) paths += fmt::format("/{}/{}\n", probe, check.name);
  return paths;
}

}  // namespace

http::ServerResponse Probes::Handle(const http::ServerRequest& request) const {
  if (request.path == "/metrics") {
    return {200, std::string(sources_.metrics_content_type), sources_.metrics()};
  }
  // Whether the process lives is answered without asking anything that could be stuck.
  const std::vector<Check> health{{"ping", std::nullopt}};
  if (const auto response = AnswerProbe("healthz", health, request)) return *response;
  const std::vector<Check> readiness = sources_.readiness();
  if (const auto response = AnswerProbe("readyz", readiness, request)) return *response;
  return {404, kPlainText,
          fmt::format("404 not found. There are:\n{}{}/metrics\n", PathsOf("healthz", health),
                      PathsOf("readyz", readiness))};
}

}  // namespace roster::app
