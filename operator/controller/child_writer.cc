#include "controller/child_writer.h"

#include <fmt/format.h>

#include "api/names.h"

namespace roster::controller {
namespace {

using agents::ActionKind;
using agents::ChildKind;
using agents::Observed;
using agents::WriteProblem;
using nlohmann::json;

const kube::Resource& ResourceOf(ChildKind child) {
  return child == ChildKind::kDeployment ? kube::kDeployments : kube::kServices;
}

Cached CacheOf(ChildKind child) {
  return child == ChildKind::kDeployment ? Cached::kDeployment : Cached::kService;
}

std::optional<WriteProblem>& ProblemOf(ChildKind child, Observed& observed) {
  return child == ChildKind::kDeployment ? observed.deployment_problem : observed.service_problem;
}

const api::Child* ChildOf(ChildKind child, const Observed& observed) {
  if (child == ChildKind::kDeployment) return observed.deployment.get();
  return observed.service.get();
}

void Drop(ChildKind child, Observed& observed) {
  if (child == ChildKind::kDeployment) {
    observed.deployment.reset();
    observed.written_generation.reset();
  } else {
    observed.service.reset();
  }
}

// A refusal that the Agent's owner must hear of becomes its problem; everything else is the
// caller's.
Status Blame(ChildKind child, const Error& error, Observed& observed) {
  const std::string_view kind = ResourceOf(child).kind;
  switch (error.kind) {
    case ErrorKind::kInvalid:
      ProblemOf(child, observed) = {
          WriteProblem::Kind::kRefused,
          {std::string(api::reason::kWriteRefused),
           fmt::format("the API server refuses the {}: {}", kind, error.message)}};
      return Ok();
    case ErrorKind::kForbidden:
      ProblemOf(child, observed) = {
          WriteProblem::Kind::kForbidden,
          {std::string(api::reason::kWriteForbidden),
           fmt::format("the API server forbids the {}: {}", kind, error.message)}};
      return Ok();
    default:
      return error;
  }
}

}  // namespace

bool BelongsTo(const api::Child& child, const api::Agent& agent) {
  if (!child.controller.uid.empty()) return child.controller.uid == agent.meta.uid;
  return child.agent_uid == agent.meta.uid;
}

bool BelongsToPredecessor(const api::Child& child, const api::Agent& agent) {
  return !BelongsTo(child, agent) && child.controller.kind == api::kAgentKind &&
         child.controller.name == agent.meta.name;
}

Status ChildWriter::Execute(const agents::Action& action, Observed& observed,
                            std::stop_token stop) {
  switch (action.kind) {
    case ActionKind::kCreate:
      return Create(action, observed, stop);
    case ActionKind::kApply:
      return Apply(action, observed, stop);
    case ActionKind::kDelete:
      return Delete(action, observed, stop);
  }
  return Ok();
}

Status ChildWriter::Create(const agents::Action& action, Observed& observed, std::stop_token stop) {
  auto created =
      client_.Create(ResourceOf(action.child), observed.agent->meta.ns, action.manifest, stop);
  if (created) return Take(action.child, *created, observed, /*written=*/true);
  if (created.error().kind == ErrorKind::kAlreadyExists)
    return ReadTaken(action.child, observed, stop);
  return Blame(action.child, created.error(), observed);
}

Status ChildWriter::Apply(const agents::Action& action, Observed& observed, std::stop_token stop) {
  const api::Child& child = *ChildOf(action.child, observed);
  const kube::Resource& resource = ResourceOf(action.child);
  uint64_t version = child.meta.resource_version;
  if (child.update_entry >= 0) {
    // The fields of the first POST belong to an entry of operation Update; an apply could remove
    // none of them. As an entry of operation Apply they are what the next apply is compared with.
    const std::string entry = fmt::format("/metadata/managedFields/{}", child.update_entry);
    const json operations = json::array({
        {{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", std::to_string(version)}},
        {{"op", "test"}, {"path", entry + "/manager"}, {"value", api::kFieldManager}},
        {{"op", "replace"}, {"path", entry + "/operation"}, {"value", "Apply"}},
    });
    auto converted = client_.JsonPatch(resource, child.meta.key(), operations, stop);
    if (!converted) {
      // A failed test is a 422: somebody wrote in between.
      if (converted.error().kind == ErrorKind::kInvalid)
        return Error{ErrorKind::kConflict, converted.error().message};
      return Blame(action.child, converted.error(), observed);
    }
    if (Status taken = Take(action.child, *converted, observed, /*written=*/false); !taken)
      return taken;
    version = ChildOf(action.child, observed)->meta.resource_version;
  }
  json intent = action.manifest;
  intent["metadata"]["uid"] = ChildOf(action.child, observed)->meta.uid;
  intent["metadata"]["resourceVersion"] = std::to_string(version);
  auto applied = client_.Apply(resource, observed.agent->meta.key(), intent, stop);
  if (applied) return Take(action.child, *applied, observed, /*written=*/true);
  return Blame(action.child, applied.error(), observed);
}

Status ChildWriter::Delete(const agents::Action& action, Observed& observed, std::stop_token stop) {
  const api::Child& child = *ChildOf(action.child, observed);
  kube::Client::DeleteOptions options;
  options.uid = child.meta.uid;
  const Status deleted = client_.Delete(ResourceOf(action.child), child.meta.key(), options, stop);
  if (!deleted && deleted.error().kind != ErrorKind::kNotFound)
    return Blame(action.child, deleted.error(), observed);
  if (deleted) writes_.Deleted(observed.agent->meta.key(), CacheOf(action.child), child.meta.uid);
  Drop(action.child, observed);
  return Ok();
}

Status ChildWriter::Recheck(ChildKind child, Observed& observed, std::stop_token stop) {
  ProblemOf(child, observed).reset();
  return ReadTaken(child, observed, stop);
}

Status ChildWriter::ReadTaken(ChildKind child, Observed& observed, std::stop_token stop) {
  auto object = client_.Get(ResourceOf(child), observed.agent->meta.key(), stop);
  if (!object) return object.error().kind == ErrorKind::kNotFound ? Ok() : Status(object.error());
  return Take(child, *object, observed, /*written=*/false);
}

Status ChildWriter::Take(ChildKind child, const json& object, Observed& observed, bool written) {
  const api::Agent& agent = *observed.agent;
  const auto judge = [&](const api::Child& read) {
    if (BelongsTo(read, agent) && !read.meta.deleting) return true;
    Drop(child, observed);
    if (BelongsTo(read, agent) || BelongsToPredecessor(read, agent)) {
      observed.predecessor_remains = true;
      return false;
    }
    const std::string owner =
        read.controller.uid.empty()
            ? std::string("nobody's that Roster knows")
            : fmt::format("that of {} {}", read.controller.kind, read.controller.name);
    ProblemOf(child, observed) = {
        WriteProblem::Kind::kConflict,
        {std::string(api::reason::kNameConflict),
         fmt::format("{} {} already exists and is {}; Roster leaves it untouched: rename the "
                     "Agent, or remove that {}",
                     ResourceOf(child).kind, read.meta.name, owner, ResourceOf(child).kind)}};
    return false;
  };
  if (child == ChildKind::kDeployment) {
    auto read = api::ParseDeployment(object);
    if (!read) return read.error();
    if (!judge(*read)) return Ok();
    if (written) {
      writes_.Wrote(agent.meta.key(), Cached::kDeployment, read->meta.resource_version);
      observed.written_generation = read->meta.generation;
    }
    observed.deployment = std::make_shared<const api::Deployment>(std::move(*read));
  } else {
    auto read = api::ParseService(object);
    if (!read) return read.error();
    if (!judge(*read)) return Ok();
    if (written) writes_.Wrote(agent.meta.key(), Cached::kService, read->meta.resource_version);
    observed.service = std::make_shared<const api::Service>(std::move(*read));
  }
  return Ok();
}

}  // namespace roster::controller
