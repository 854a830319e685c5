#include "kube/client.h"

#include <fmt/format.h>

#include <charconv>

#include "api/json.h"
#include "api/names.h"
#include "kube/line_splitter.h"
#include "kube/list_parser.h"
#include "kube/status_error.h"

namespace roster::kube {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view kJsonType = "application/json";
/// A Lease must be renewed or given up long before it expires.
constexpr std::chrono::milliseconds kLeaseTimeout{5'000};

/// A target's query, one parameter after the other.
class Query {
 public:
  Query& Add(std::string_view key, std::string_view value) {
    text_ += text_.empty() ? '?' : '&';
    text_ += key;
    text_ += '=';
    text_ += PercentEncode(value);
    return *this;
  }
  /// Leaves an empty value out.
  Query& AddIf(std::string_view key, std::string_view value) {
    return value.empty() ? *this : Add(key, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Query FieldManager() {
  Query query;
  query.Add("fieldManager", api::kFieldManager);
  return query;
}

Request MakeRequest(std::string_view method, const Resource& resource, std::string target) {
  Request request;
  request.method = method;
  request.target = std::move(target);
  if (resource.plural == kLeases.plural && resource.group == kLeases.group) {
    request.lane = Request::Lane::kLease;
    request.timeout = kLeaseTimeout;
  }
  return request;
}

void SetBody(Request& request, std::string_view content_type, const json& body) {
  request.content_type = content_type;
  request.body = api::DumpJson(body);
}

std::optional<WatchEventType> EventTypeOf(std::string_view name) {
  if (name == "ADDED") return WatchEventType::kAdded;
  if (name == "MODIFIED") return WatchEventType::kModified;
  if (name == "DELETED") return WatchEventType::kDeleted;
  if (name == "BOOKMARK") return WatchEventType::kBookmark;
  if (name == "ERROR") return WatchEventType::kError;
  return std::nullopt;
}

Result<WatchEvent> ParseEvent(std::string_view line) {
  auto event = api::ParseJson(line);
  if (!event)
    return Error{ErrorKind::kMalformed, "a watch event that is no JSON: " + event.error().message};
  if (event->is_object()) {
    const auto type = event->find("type");
    const auto object = event->find("object");
    if (type != event->end() && type->is_string() && object != event->end() &&
        object->is_object()) {
      if (const auto known = EventTypeOf(type->get_ref<const std::string&>())) {
        return WatchEvent{*known, std::move(*object)};
      }
    }
  }
  return Error{ErrorKind::kMalformed, "a watch event without a known type and an object"};
}

}  // namespace

void Client::Observe(std::string_view method, int code, steady_clock::time_point begin) const {
  if (observer_) observer_({method, code, steady_clock::now() - begin});
}

Result<Response> Client::Call(std::string_view method, const Request& request,
                              std::stop_token stop) {
  const auto begin = steady_clock::now();
  auto response = transport_.Send(request, std::move(stop));
  Observe(method, response ? response->status : 0, begin);
  if (response && (response->status < 200 || response->status > 299)) return ErrorOf(*response);
  return response;
}

Result<json> Client::CallForObject(std::string_view method, const Request& request,
                                   std::stop_token stop) {
  const auto response = Call(method, request, std::move(stop));
  if (!response) return response.error();
  auto object = api::ParseJson(response->body);
  if (object && object->is_object()) return object;
  return Error{
      ErrorKind::kMalformed,
      fmt::format("{} {}: the answer is no JSON object{}{}", request.method, request.target,
                  object ? "" : ": ", object ? "" : object.error().message)};
}

Result<json> Client::Get(const Resource& resource, const api::ObjectKey& key,
                         std::stop_token stop) {
  return CallForObject("GET", MakeRequest("GET", resource, resource.Path(key.ns, key.name)),
                       std::move(stop));
}

Result<ListPage> Client::List(const Resource& resource, const ListOptions& options,
                              const ItemSink& sink, std::stop_token stop) {
  Query query;
  query.AddIf("labelSelector", options.label_selector)
      .AddIf("resourceVersion", options.resource_version)
      .AddIf("resourceVersionMatch", options.resource_version_match)
      .AddIf("continue", options.continue_token);
  if (options.limit > 0) query.Add("limit", std::to_string(options.limit));
  Request request = MakeRequest("GET", resource, resource.Path(options.ns) + query.text());
  request.timeout = options.timeout;

  const auto response = Call("LIST", request, std::move(stop));
  if (!response) return response.error();
  const auto malformed = [&request](std::string_view what) {
    return Error{ErrorKind::kMalformed, fmt::format("GET {}: {}", request.target, what)};
  };
  const auto head = ParseList(response->body, sink);
  if (!head) return malformed(head.error().message);
  const json* meta = api::FindMember(*head, "metadata");
  const json* version = meta ? api::FindMember(*meta, "resourceVersion") : nullptr;
  const json* token = meta ? api::FindMember(*meta, "continue") : nullptr;
  ListPage page;
  if (!version || !version->is_string())
    return malformed("the list has no metadata.resourceVersion");
  const auto& digits = version->get_ref<const std::string&>();
  const auto [end, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), page.resource_version);
  if (problem != std::errc() || end != digits.data() + digits.size()) {
    return malformed("metadata.resourceVersion is no number");
  }
  if (token && token->is_string()) page.continue_token = token->get<std::string>();
  return page;
}

Result<bool> Client::Watch(const Resource& resource, const WatchOptions& options,
                           const EventSink& sink, std::stop_token stop) {
  Query query;
  query.Add("watch", "true")
      .Add("allowWatchBookmarks", "true")
      .Add("timeoutSeconds", std::to_string(options.server_timeout.count()))
      .AddIf("labelSelector", options.label_selector)
      .AddIf("resourceVersion", options.resource_version);
  if (options.send_initial_events) {
    query.Add("sendInitialEvents", "true").Add("resourceVersionMatch", "NotOlderThan");
  }
  Request request = MakeRequest("GET", resource, resource.Path(options.ns) + query.text());
  request.timeout = options.silence_timeout;

  LineSplitter splitter;
  std::optional<Error> broken;
  const auto on_line = [&](std::string_view line) {
    auto event = ParseEvent(line);
    if (!event) broken = event.error();
    return event.ok() && sink(std::move(*event));
  };
  const auto begin = steady_clock::now();
  const auto result = transport_.Stream(
      request,
      [&](std::string_view piece) {
        const auto go_on = splitter.Feed(piece, on_line);
        if (!go_on) broken = go_on.error();
        return go_on.ok() && *go_on;
      },
      std::move(stop));

  int code = 0;
  if (result) code = result->refusal ? result->refusal->status : 200;
  Observe("WATCH", code, begin);
  if (broken) return *broken;
  if (!result) return result.error();
  if (result->refusal) return ErrorOf(*result->refusal);
  if (result->end.by_server && splitter.pending() > 0) {
    return Error{ErrorKind::kUnavailable, "the watch broke off within an event"};
  }
  return result->end.by_server;
}

Result<json> Client::Create(const Resource& resource, const std::string& ns, const json& object,
                            std::stop_token stop) {
  Request request = MakeRequest("POST", resource, resource.Path(ns) + FieldManager().text());
  SetBody(request, kJsonType, object);
  return CallForObject("POST", request, std::move(stop));
}

Result<json> Client::Apply(const Resource& resource, const api::ObjectKey& key, const json& object,
                           std::stop_token stop) {
  Request request =
      MakeRequest("PATCH", resource,
                  resource.Path(key.ns, key.name) + FieldManager().Add("force", "true").text());
  SetBody(request, "application/apply-patch+yaml", object);  // JSON is YAML
  return CallForObject("APPLY", request, std::move(stop));
}

Result<json> Client::MergePatch(const Resource& resource, const api::ObjectKey& key,
                                std::string_view subresource, const json& patch,
                                std::stop_token stop) {
  Request request = MakeRequest(
      "PATCH", resource, resource.Path(key.ns, key.name, subresource) + FieldManager().text());
  SetBody(request, "application/merge-patch+json", patch);
  return CallForObject("PATCH", request, std::move(stop));
}

Result<json> Client::JsonPatch(const Resource& resource, const api::ObjectKey& key,
                               const json& operations, std::stop_token stop) {
  Request request =
      MakeRequest("PATCH", resource, resource.Path(key.ns, key.name) + FieldManager().text());
  SetBody(request, "application/json-patch+json", operations);
  return CallForObject("PATCH", request, std::move(stop));
}

Result<json> Client::Replace(const Resource& resource, const api::ObjectKey& key,
                             const json& object, std::stop_token stop) {
  Request request =
      MakeRequest("PUT", resource, resource.Path(key.ns, key.name) + FieldManager().text());
  SetBody(request, kJsonType, object);
  return CallForObject("PUT", request, std::move(stop));
}

Status Client::Delete(const Resource& resource, const api::ObjectKey& key,
                      const DeleteOptions& options, std::stop_token stop) {
  json body = {
      {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", options.propagation}};
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (!options.resource_version.empty()) {
    body["preconditions"]["resourceVersion"] = options.resource_version;
  }
  Request request = MakeRequest("DELETE", resource, resource.Path(key.ns, key.name));
  SetBody(request, kJsonType, body);
  const auto response = Call("DELETE", request, std::move(stop));
  if (!response) return response.error();
  return Ok();
}

Result<std::string> Client::ServerVersion(std::stop_token stop) {
  Request request;
  request.method = "GET";
  request.target = "/version";
  const auto version = CallForObject("GET", request, std::move(stop));
  if (!version) return version.error();
  const json* git_version = api::FindMember(*version, "gitVersion");
  if (!git_version || !git_version->is_string()) {
    return Error{ErrorKind::kMalformed, "GET /version: the answer has no gitVersion"};
  }
  return git_version->get<std::string>();
}

}  // namespace roster::kube
