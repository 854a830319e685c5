#include "fakes/api_request.h"

#include <algorithm>
#include <charconv>

namespace roster::fake {
namespace {

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(path.starts_with('/') ? 1 : 0);
    const size_t end = std::min(path.find('/'), path.size());
    parts.push_back(PercentDecode(path.substr(0, end)));
    path.remove_prefix(end);
  }
  return parts;
}

std::map<std::string, std::string> ParseQuery(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    query[PercentDecode(pair.substr(0, equals))] =
        PercentDecode(equals < pair.size() ? pair.substr(equals + 1) : std::string_view());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

std::string VerbOf(const kube::Request& request, const ApiRequest& parsed) {
  const bool named = !parsed.key.name.empty();
  if (request.method == "GET") return named ? "get" : parsed.Flag("watch") ? "watch" : "list";
  if (request.method == "POST" && !named) return "create";
  if (request.method == "PUT" && named) return "update";
  if (request.method == "DELETE" && named) return "delete";
  if (request.method == "PATCH" && named) {
    if (request.content_type.starts_with("application/apply-patch")) return "apply";
    return request.content_type.starts_with("application/json-patch+json") ? "json-patch" : "patch";
  }
  return {};
}

}  // namespace

std::string ApiRequest::Query(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::optional<ApiRequest> ParseApiRequest(const kube::Request& request,
                                          const std::vector<ResourceType>& types) {
  const std::string_view target = request.target;
  const size_t mark = std::min(target.find('?'), target.size());
  std::vector<std::string> parts = SplitPath(target.substr(0, mark));

  // /api/VERSION/… or /apis/GROUP/VERSION/…
  std::string group;
  if (parts.size() >= 3 && parts[0] == "api") {
    parts.erase(parts.begin());
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    group = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  } else {
    return std::nullopt;
  }
  ApiRequest parsed;
  if (mark < target.size()) parsed.query = ParseQuery(target.substr(mark + 1));
  const std::string version = parts[0];
  parts.erase(parts.begin());
  if (parts.size() >= 3 && parts[0] == "namespaces") {
    parsed.key.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  for (const ResourceType& type : types) {
    if (type.group == group && type.version == version && type.plural == parts[0])
      parsed.type = &type;
  }
  if (parsed.type == nullptr || parts.size() > 3) return std::nullopt;
  if (parts.size() > 1) parsed.key.name = parts[1];
  if (parts.size() > 2) parsed.subresource = parts[2];
  if (!parsed.subresource.empty() && (parsed.subresource != "status" || !parsed.type->has_status))
    return std::nullopt;
  const bool needs_namespace =
      parsed.type->namespaced && (request.method != "GET" || !parsed.key.name.empty());
  if (needs_namespace && parsed.key.ns.empty()) return std::nullopt;
  parsed.verb = VerbOf(request, parsed);
  if (parsed.verb.empty()) return std::nullopt;
  return parsed;
}

}  // namespace roster::fake
