#include "fakes/status_answer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <utility>

namespace roster::fake {
namespace {

Failure Make(int code, std::string_view reason, std::string message, json details = nullptr) {
  json status = {{"kind", "Status"},
                 {"apiVersion", "v1"},
                 {"metadata", json::object()},
                 {"status", "Failure"},
                 {"message", std::move(message)}};
  if (!reason.empty()) status["reason"] = reason;
  if (!details.is_null()) status["details"] = std::move(details);
  status["code"] = code;
  return {code, std::move(status)};
}

json Details(std::string_view group, std::string_view kind, std::string_view name) {
  json details = json::object();
  if (!name.empty()) details["name"] = name;
  if (!group.empty()) details["group"] = group;
  details["kind"] = kind;
  return details;
}

std::string Qualified(std::string_view word, std::string_view group) {
  return group.empty() ? std::string(word) : fmt::format("{}.{}", word, group);
}

}  // namespace

kube::Response Failure::ToResponse() const {
  kube::Response response;
  response.status = code;
  response.body = status.is_string() ? status.get<std::string>() : status.dump();
  if (status.is_object() && status.contains("details") &&
      status["details"].contains("retryAfterSeconds")) {
    // The real server repeats it as a header only for 429.
    if (code == 429)
      response.retry_after =
          std::chrono::seconds(status["details"]["retryAfterSeconds"].get<int>());
  }
  return response;
}

Failure NotFound(const ResourceType& type, std::string_view name) {
  return Make(404, "NotFound",
              fmt::format("{} \"{}\" not found", Qualified(type.plural, type.group), name),
              Details(type.group, type.plural, name));
}

Failure AlreadyExists(const ResourceType& type, std::string_view name) {
  return Make(409, "AlreadyExists",
              fmt::format("{} \"{}\" already exists", Qualified(type.plural, type.group), name),
              Details(type.group, type.plural, name));
}

Failure Conflict(const ResourceType& type, std::string_view name, std::string_view why) {
  return Make(409, "Conflict",
              fmt::format("Operation cannot be fulfilled on {} \"{}\": {}",
                          Qualified(type.plural, type.group), name, why),
              Details(type.group, type.plural, name));
}

Failure StaleVersion(const ResourceType& type, std::string_view name) {
  return Conflict(type, name,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

Failure PreconditionFailed(const ResourceType& type, std::string_view name, std::string_view what,
                           std::string_view given, std::string_view actual) {
  return Make(409, "Conflict",
              fmt::format("Operation cannot be fulfilled on {} \"{}\": the {} in the precondition "
                          "({}) does not match "
                          "the {} in record ({}). The object might have been {}",
                          Qualified(type.kind, type.group), name, what, given, what, actual,
                          what == "UID" ? "deleted and then recreated" : "modified"),
              Details(type.group, type.kind, name));
}

Failure ApplyConflict(const std::vector<std::pair<std::string, std::string>>& fields) {
  // Grouped by manager; a manager's only conflict stands on the same line.
  std::map<std::string, std::vector<std::string>> by_manager;
  json causes = json::array();
  for (const auto& [manager, path] : fields) {
    by_manager[manager].push_back(path);
    causes.push_back({{"reason", "FieldManagerConflict"},
                      {"message", fmt::format("conflict with \"{}\"", manager)},
                      {"field", path}});
  }
  std::string message = fmt::format("Apply failed with {} conflict{}: ", fields.size(),
                                    fields.size() == 1 ? "" : "s");
  bool first = true;
  for (const auto& [manager, paths] : by_manager) {
    if (!std::exchange(first, false)) message += "\n";
    if (paths.size() == 1) {
      message += fmt::format("conflict with \"{}\": {}", manager, paths.front());
    } else {
      message += fmt::format("conflicts with \"{}\":\n- {}", manager, fmt::join(paths, "\n- "));
    }
  }
  return Make(409, "Conflict", std::move(message), {{"causes", std::move(causes)}});
}

Failure Invalid(std::string_view group, std::string_view kind, std::string_view name,
                const std::vector<Cause>& causes) {
  std::string reasons;
  json list = json::array();
  for (const Cause& cause : causes) {
    if (!reasons.empty()) reasons += ", ";
    reasons += fmt::format("{}: {}", cause.field, cause.message);
    list.push_back({{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}});
  }
  if (causes.size() > 1) reasons = fmt::format("[{}]", reasons);
  json details = Details(group, kind, name);
  details["causes"] = std::move(list);
  return Make(422, "Invalid",
              fmt::format("{} \"{}\" is invalid: {}", Qualified(kind, group), name, reasons),
              std::move(details));
}

Failure Invalid(const ResourceType& type, std::string_view name, const std::vector<Cause>& causes) {
  return Invalid(type.group, type.kind, name, causes);
}

Failure UnappliablePatch() {
  return Make(422, "Invalid", "the server rejected our request due to an error in our request",
              json::object());
}

Failure BadRequest(std::string_view message) {
  return Make(400, "BadRequest", std::string(message));
}

Failure UnsupportedMediaType() {
  return Make(
      415, "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: "
      "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
}

Failure EntityTooLarge(size_t limit) {
  return Make(413, "RequestEntityTooLarge",
              fmt::format("Request entity too large: limit is {}", limit));
}

Failure StorageRequestTooLarge() {
  return Make(500, "", "etcdserver: request is too large");
}

Failure Expired(std::string_view message) {
  return Make(410, "Expired", std::string(message));
}

Failure TooLargeVersion(uint64_t asked, uint64_t current) {
  return Make(
      504, "Timeout",
      fmt::format("Timeout: Too large resource version: {}, current: {}", asked, current),
      {{"causes",
        {{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}}},
       {"retryAfterSeconds", 1}});
}

Failure AnyFailure(int code, std::string_view reason, std::string_view message) {
  return Make(code, reason, std::string(message));
}

}  // namespace roster::fake
