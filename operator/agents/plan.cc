#include "agents/plan.h"

#include <algorithm>

#include "agents/facts.h"
#include "agents/manifests.h"
#include "agents/pod_template.h"
#include "agents/state_table.h"
#include "api/names.h"

namespace roster::agents {
namespace {

using nlohmann::json;
namespace reason = api::reason;

bool Unlike(const api::Child& child, const json& manifest, uint64_t owned_hash,
            const api::Agent& agent) {
  return child.intent_hash != IntentHash(manifest) || child.owned_hash != owned_hash ||
         child.controller.uid != agent.meta.uid;
}

// Somebody wrote to the Deployment's spec if its generation is not the one that Roster's last write
// gave it. That one is in the status; after a crash between the write and the status only a first
// generation is surely ours.
bool EditedByOthers(const Observed& o, const json& manifest) {
  const api::Deployment& deployment = *o.deployment;
  if (o.written_generation) return deployment.meta.generation != *o.written_generation;
  const auto& ref = o.agent->status.workload;
  const bool recorded = ref && ref->uid == deployment.meta.uid && ref->hash == IntentHash(manifest);
  return deployment.meta.generation != (recorded ? ref->generation : 1);
}

std::string_view WhyApply(const api::Child& child, const json& manifest) {
  return child.intent_hash != IntentHash(manifest) ? reason::kUpdated : reason::kDriftCorrected;
}

void PlanService(const Observed& o, std::vector<Action>& actions) {
  if (o.service_problem) return;
  const bool wanted = o.agent->spec.workload->port.has_value();
  if (!wanted) {
    if (o.service)
      actions.push_back({ActionKind::kDelete, ChildKind::kService, nullptr, reason::kDeleted});
    return;
  }
  json manifest = MakeService(*o.agent);
  if (!o.service) {
    actions.push_back(
        {ActionKind::kCreate, ChildKind::kService, std::move(manifest), reason::kCreated});
  } else if (Unlike(*o.service, manifest, api::OwnedServiceHash(manifest), *o.agent)) {
    const std::string_view why = WhyApply(*o.service, manifest);
    actions.push_back({ActionKind::kApply, ChildKind::kService, std::move(manifest), why});
  }
}

void PlanDeployment(const Observed& o, json pod_template, std::vector<Action>& actions) {
  if (o.deployment_problem) return;
  // Pods go only after the agent has left its Service, so that no request is sent to one that is
  // going.
  const bool still_serving =
      o.service && !o.service->paused && o.agent->spec.workload->port && !o.service_problem;
  if (o.deployment && WantedReplicas(o.agent->spec) == 0 && still_serving &&
      o.agent->spec.desired_state == api::DesiredState::kStopped) {
    return;
  }
  json manifest = MakeDeployment(*o.agent, std::move(pod_template));
  if (!o.deployment) {
    actions.push_back(
        {ActionKind::kCreate, ChildKind::kDeployment, std::move(manifest), reason::kCreated});
  } else if (Unlike(*o.deployment, manifest, api::OwnedMetadataHash(manifest), *o.agent) ||
             EditedByOthers(o, manifest)) {
    const std::string_view why = WhyApply(*o.deployment, manifest);
    actions.push_back({ActionKind::kApply, ChildKind::kDeployment, std::move(manifest), why});
  }
}

void LookAgain(PlanResult& result, std::chrono::milliseconds delay) {
  result.look_again = std::min(result.look_again.value_or(delay), delay);
}

void LookAgainAfter(const std::optional<WriteProblem>& problem, const Settings& settings,
                    PlanResult& result) {
  if (problem) LookAgain(result, RetryAfter(problem->kind, settings));
}

// What the status says of the Deployment: what was written, once nothing is left to write.
void RecordWorkload(const Observed& o, const std::vector<Action>& actions,
                    api::AgentStatus& status) {
  if (!o.deployment) {
    status.workload.reset();
    return;
  }
  // Nothing to write and nothing in the way: what exists is what was asked for.
  const bool pending = std::any_of(actions.begin(), actions.end(), [](const Action& action) {
    return action.child == ChildKind::kDeployment;
  });
  if (pending || o.deployment_problem) return;
  const api::Deployment& d = *o.deployment;
  status.workload = api::WorkloadRef{d.meta.name, d.meta.uid, d.meta.generation, d.intent_hash};
}

bool MayWrite(const Observed& o, const Facts& facts) {
  if (facts.kind != Kind::kWorkload || facts.deleting || o.predecessor_remains) return false;
  return facts.refusal != Refusal::kIdentity || WantedReplicas(o.agent->spec) == 0;
}

}  // namespace

std::chrono::milliseconds RetryAfter(WriteProblem::Kind kind, const Settings& settings) {
  switch (kind) {
    case WriteProblem::Kind::kConflict:
      return settings.retry_conflict;
    case WriteProblem::Kind::kForbidden:
      return settings.retry_forbidden;
    case WriteProblem::Kind::kRefused:
      break;
  }
  return settings.retry_refused;
}

PlanResult Plan(const Observed& observed, const Settings& settings, WallTime now) {
  const api::Agent& agent = *observed.agent;
  std::optional<json> pod_template;
  std::optional<std::string> invalid_template;
  if (agent.spec.workload) {
    auto made = MakePodTemplate(agent, settings);
    if (made) {
      pod_template = std::move(*made);
    } else {
      invalid_template = made.error().message;
    }
  }

  FactsAndWords gathered = GatherFacts(observed, settings, invalid_template, now);
  Facts& facts = gathered.facts;
  PlanResult result;
  result.look_again = gathered.look_again;
  if (MayWrite(observed, facts)) {
    PlanService(observed, result.actions);
    if (pod_template) PlanDeployment(observed, std::move(*pod_template), result.actions);
    // What is refused gets nothing new, but what it already has can still be paused and stopped.
    if (facts.refusal != Refusal::kNone) {
      std::erase_if(result.actions, [](const Action& a) { return a.kind == ActionKind::kCreate; });
    }
    LookAgainAfter(observed.deployment_problem, settings, result);
    if (ServiceBlocked(observed)) LookAgainAfter(observed.service_problem, settings, result);
  }
  if (facts.kind == Kind::kWorkload && !facts.deleting && observed.predecessor_remains) {
    facts.pending = true;
    LookAgain(result, std::chrono::seconds(1));
  }
  // Drift is put right so soon that to report it would be to flap; a change of the spec is not made
  // true by being on its way.
  facts.pending |= std::any_of(result.actions.begin(), result.actions.end(),
                               [](const Action& a) { return a.reason != reason::kDriftCorrected; });
  result.status = MakeStatus(observed, gathered, Judge(facts), now);
  if (MayWrite(observed, facts) && !invalid_template) {
    RecordWorkload(observed, result.actions, result.status);
  }
  result.events = MakeEvents(agent.status, result.status);
  return result;
}

}  // namespace roster::agents
