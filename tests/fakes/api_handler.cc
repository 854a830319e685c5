#include "fakes/api_handler.h"

#include "api/json.h"
#include "fakes/api_reader.h"

namespace roster::fake {
namespace {

using api::StringOr;

constexpr size_t kMaxBodyBytes = 3 * 1024 * 1024;

kube::Response Answer(int status, std::string body) {
  kube::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

kube::Response Answer(const ApiBackend::Result& result) {
  if (const auto* failure = std::get_if<Failure>(&result)) return failure->ToResponse();
  const auto& written = std::get<ApiBackend::Written>(result);
  return Answer(written.code, written.object->dump());
}

kube::Response HandleDelete(const json& options, const ApiRequest& request, ApiBackend& backend) {
  const json preconditions = options.value("preconditions", json::object());
  const auto result =
      backend.Delete(*request.type, request.key,
                     {StringOr(preconditions, "uid"), StringOr(preconditions, "resourceVersion")});
  if (const auto* failure = std::get_if<Failure>(&result)) return failure->ToResponse();
  const json& object = *std::get<ObjectPtr>(result);
  if (object.at("metadata").contains("deletionTimestamp")) return Answer(200, object.dump());
  json details = {{"name", request.key.name},
                  {"kind", request.type->plural},
                  {"uid", object.at("metadata").at("uid")}};
  if (!request.type->group.empty()) details["group"] = request.type->group;
  const json status = {{"kind", "Status"},
                       {"apiVersion", "v1"},
                       {"metadata", json::object()},
                       {"status", "Success"},
                       {"details", details}};
  return Answer(200, status.dump());
}

}  // namespace

bool IsMutating(std::string_view verb) {
  return verb != "get" && verb != "list" && verb != "watch";
}

std::string NameInBody(const kube::Request& request) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("metadata") || !body["metadata"].is_object()) return {};
  return StringOr(body["metadata"], "name");
}

kube::Response HandleRequest(const kube::Request& request, const std::optional<ApiRequest>& parsed,
                             ApiBackend& backend) {
  if (request.body.size() > kMaxBodyBytes) return EntityTooLarge(kMaxBodyBytes).ToResponse();
  if (!parsed) {
    if (request.target == "/version") {
      return Answer(200, json{{"major", "1"}, {"minor", "35"}, {"gitVersion", "v1.35.4"}}.dump());
    }
    if (request.target == "/readyz" || request.target == "/livez") return Answer(200, "ok");
    return Answer(404, "404 page not found\n");
  }
  const ApiRequest& r = *parsed;
  if (r.verb == "list") {
    auto page = ListPage(r, backend.store());
    if (auto* failure = std::get_if<Failure>(&page)) return failure->ToResponse();
    return Answer(200, std::get<std::string>(std::move(page)));
  }
  if (r.verb == "get") {
    const ObjectPtr object = backend.store().Find(ApiBackend::StorageName(*r.type), r.key);
    return object ? Answer(200, object->dump()) : NotFound(*r.type, r.key.name).ToResponse();
  }

  json body = json::parse(request.body, nullptr, false);
  if (body.is_discarded() && r.verb == "delete" && request.body.empty()) body = json::object();
  const bool well_formed = r.verb == "json-patch" ? body.is_array() : body.is_object();
  if (!well_formed) {
    return BadRequest("the object provided is unrecognized (must be of type " + r.type->kind + ")")
        .ToResponse();
  }
  // A client that names no manager is known by its User-Agent, which is ours.
  const std::string given = r.Query("fieldManager");
  const Writer writer{given.empty() ? "roster" : given, r.subresource};
  if (r.verb == "create")
    return Answer(backend.Create(*r.type, r.key.ns, std::move(body), writer.manager));
  if (r.verb == "update") return Answer(backend.Update(*r.type, r.key, writer, std::move(body)));
  if (r.verb == "delete") return HandleDelete(body, r, backend);
  if (r.verb == "apply")
    return Answer(backend.Apply(*r.type, r.key, {given, r.subresource}, body, r.Flag("force")));
  if (r.verb == "json-patch") return Answer(backend.JsonPatch(*r.type, r.key, writer, body));
  if (!request.content_type.starts_with("application/merge-patch+json"))
    return UnsupportedMediaType().ToResponse();
  return Answer(backend.MergePatch(*r.type, r.key, writer, body));
}

}  // namespace roster::fake
