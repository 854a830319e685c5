#include "controller/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"
#include "api/names.h"

namespace roster::controller {
namespace {

using agents::ChildKind;
using agents::Observed;
using agents::PlanResult;
using agents::WriteProblem;
using nlohmann::json;

// How long a write of ours may stay unseen by the watch before it is read from the server instead.
constexpr std::chrono::seconds kCacheLag{30};
// Plans converge in two or three rounds; a plan that does not is a bug, and must not become a hot
// loop.
constexpr int kMaxRounds = 8;

std::string_view EventAction(agents::ActionKind kind) {
  switch (kind) {
    case agents::ActionKind::kCreate:
      return "Create";
    case agents::ActionKind::kApply:
      return "Update";
    case agents::ActionKind::kDelete:
      return "Delete";
  }
  return "Reconcile";
}

EventText DescribeAction(const agents::Action& action, const api::Agent& agent) {
  const std::string_view kind = action.child == ChildKind::kDeployment ? "Deployment" : "Service";
  const std::string_view verb = action.reason == api::reason::kCreated   ? "Created"
                                : action.reason == api::reason::kUpdated ? "Updated"
                                : action.reason == api::reason::kDriftCorrected
                                    ? "Put right, after somebody changed it,"
                                    : "Deleted";
  return {false, std::string(action.reason), std::string(EventAction(action.kind)),
          fmt::format("{} {} {}", verb, kind, agent.meta.name)};
}

bool BecameAvailable(const api::AgentStatus& before, const api::AgentStatus& after) {
  const auto available = [](const api::AgentStatus& status) {
    const api::Condition* condition = status.FindCondition(api::condition::kAvailable);
    return condition != nullptr && condition->status == api::ConditionStatus::kTrue;
  };
  return available(after) && !available(before);
}

}  // namespace

Reconciler::Reconciler(kube::Client& client, Caches caches, WriteTracker& writes,
                       EventRecorder& events, const Clock& clock, Logger log, Observer& observer,
                       agents::Settings settings)
    : client_(client),
      caches_(caches),
      writes_(writes),
      events_(events),
      clock_(clock),
      log_(std::move(log)),
      observer_(observer),
      settings_(settings),
      children_(client, writes) {}

Reconciler::Outcome Reconciler::Reconcile(const api::ObjectKey& key, std::stop_token stop) {
  Observed observed;
  observed.agent = caches_.agents.Get(key);
  if (!observed.agent) {
    observer_.CacheMiss();
    writes_.Forget(key);
    refusals_.Lock()->erase(key);
    return {};
  }
  observer_.CacheHit();
  Observe(observed);
  const auto wait = AwaitOwnWrites(observed, stop);
  if (!wait && wait.error().kind == ErrorKind::kNotFound) return {};  // the Agent itself is gone
  if (!wait) return Failed(key, wait.error());
  if (*wait) return {ReconcileResult::kRequeueAfter, **wait};
  if (Status recalled = RecallRefusals(observed, stop); !recalled)
    return Failed(key, recalled.error());

  PlanResult plan = agents::Plan(observed, settings_, clock_.Wall());
  // What was done is told and shown even if a later action failed.
  const Status acted = Act(observed, plan, stop);
  RememberRefusals(observed);
  if (Status written = WriteStatus(*observed.agent, plan, stop); !written)
    return Failed(key, written.error());
  if (!acted) return Failed(key, acted.error());
  if (plan.look_again) return {ReconcileResult::kRequeueAfter, plan.look_again};
  return {};
}

Reconciler::Outcome Reconciler::Failed(const api::ObjectKey& key, const Error& error) {
  // Somebody else wrote first: ordinary, and the watch brings what it was.
  if (error.kind == ErrorKind::kConflict) return {ReconcileResult::kRequeue, std::nullopt};
  if (error.kind != ErrorKind::kCancelled) {
    log_.Warn("an Agent could not be reconciled, trying again",
              {{"namespace", key.ns},
               {"agent", key.name},
               {"error_kind", ToString(error.kind)},
               {"error", error.message}});
  }
  return {ReconcileResult::kError, error.retry_after};
}

void Reconciler::Observe(Observed& observed) const {
  const api::Agent& agent = *observed.agent;
  const api::ObjectKey key = agent.meta.key();
  const auto adopt = [&](auto child, auto& slot) {
    if (!child) return;
    if (BelongsTo(*child, agent) && !child->meta.deleting) {
      slot = std::move(child);
    } else if (BelongsTo(*child, agent) || BelongsToPredecessor(*child, agent)) {
      observed.predecessor_remains = true;
    }
    // Anybody else's is found out, and shown, when its name proves to be taken.
  };
  if (agent.spec.workload) {
    adopt(caches_.deployments.Get(key), observed.deployment);
    adopt(caches_.services.Get(key), observed.service);
    observed.pods = store::PodsOf(caches_.pods, agent.meta.ns, agent.meta.uid);
    // In one order, so that the same pods always give the same words.
    std::sort(observed.pods.begin(), observed.pods.end(),
              [](const auto& a, const auto& b) { return a->meta.name < b->meta.name; });
  }
  for (const auto& other :
       store::AgentsWithId(caches_.agents, agent.meta.ns, agent.EffectiveId())) {
    const auto age = [](const api::Agent& a) {
      return std::pair(a.meta.creation_time, a.meta.uid);
    };
    if (other->meta.uid != agent.meta.uid && age(*other) < age(agent))
      observed.id_holder = other->meta.name;
  }
}

bool Reconciler::CacheHas(const api::ObjectKey& key, const WriteTracker::Pending& pending) const {
  const auto reached = [&](const auto& store) {
    const auto cached = store.Get(key);
    if (pending.version == 0) return !cached || cached->meta.uid != pending.deleted_uid;
    return (cached && cached->meta.resource_version >= pending.version) ||
           store.Version(key.ns) >= pending.version;
  };
  switch (pending.cache) {
    case Cached::kAgent:
      return reached(caches_.agents);
    case Cached::kDeployment:
      return reached(caches_.deployments);
    case Cached::kService:
      return reached(caches_.services);
  }
  return true;
}

Result<std::optional<std::chrono::milliseconds>> Reconciler::AwaitOwnWrites(Observed& observed,
                                                                            std::stop_token stop) {
  const api::ObjectKey key = observed.agent->meta.key();
  std::optional<std::chrono::milliseconds> wait;
  for (const WriteTracker::Pending& pending : writes_.PendingFor(key)) {
    if (CacheHas(key, pending)) {
      writes_.Settle(key, pending.cache);
      continue;
    }
    const auto waited = clock_.Mono() - pending.since;
    if (waited < kCacheLag) {
      // Flagged first and looked at again: the echo may have come in between.
      writes_.Await(key);
      if (CacheHas(key, pending)) return std::optional(std::chrono::milliseconds(0));
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(kCacheLag - waited);
      wait = std::min(wait.value_or(left), left);
      continue;
    }
    // Not settled by this: until the watch has caught up, every reconcile has to look for itself.
    observer_.CacheLagged();
    log_.Warn("a write of ours has not come back through the watch, reading it from the API server",
              {{"namespace", key.ns}, {"agent", key.name}, {"version", pending.version}});
    if (Status read = ReadLive(pending, observed, stop); !read) return read.error();
  }
  return wait;
}

Status Reconciler::ReadLive(const WriteTracker::Pending& pending, Observed& observed,
                            std::stop_token stop) {
  const api::ObjectKey key = observed.agent->meta.key();
  if (pending.cache != Cached::kAgent) {
    const ChildKind child =
        pending.cache == Cached::kDeployment ? ChildKind::kDeployment : ChildKind::kService;
    if (child == ChildKind::kDeployment) observed.deployment.reset();
    if (child == ChildKind::kService) observed.service.reset();
    return children_.Recheck(child, observed, stop);
  }
  auto object = client_.Get(kube::kAgents, key, stop);
  if (!object) return object.error();
  auto agent = api::ParseAgent(*object);
  if (!agent) return agent.error();
  observed.agent = std::make_shared<const api::Agent>(std::move(*agent));
  return Ok();
}

Status Reconciler::RecallRefusals(Observed& observed, std::stop_token stop) {
  const api::Agent& agent = *observed.agent;
  std::optional<Refusal> refusal;
  {
    auto refusals = refusals_.Lock();
    const auto it = refusals->find(agent.meta.key());
    if (it == refusals->end()) return Ok();
    refusal = it->second;
    refusals->erase(it);
  }
  const bool due = clock_.Mono() >= refusal->again;
  const bool same_spec =
      refusal->uid == agent.meta.uid && refusal->generation == agent.meta.generation;
  const auto recall = [&](ChildKind child, const std::optional<WriteProblem>& from,
                          std::optional<WriteProblem>& to) -> Status {
    if (!from || refusal->uid != agent.meta.uid) return Ok();
    if (from->kind == WriteProblem::Kind::kConflict) {
      // Read, not written again: a name that is taken stays taken until somebody frees it.
      if (due || !same_spec) return children_.Recheck(child, observed, stop);
      to = from;
    } else if (!due && same_spec) {
      to = from;
    }
    return Ok();
  };
  if (Status done =
          recall(ChildKind::kDeployment, refusal->deployment, observed.deployment_problem);
      !done)
    return done;
  if (Status done = recall(ChildKind::kService, refusal->service, observed.service_problem); !done)
    return done;
  // Still within its time: kept as it was, so that a reconcile in between does not put the next
  // attempt off.
  if (!due && same_spec && (observed.deployment_problem || observed.service_problem)) {
    refusals_.Lock()->insert_or_assign(agent.meta.key(), *refusal);
  }
  return Ok();
}

void Reconciler::RememberRefusals(const Observed& observed) {
  if (!observed.deployment_problem && !observed.service_problem) return;
  const api::Agent& agent = *observed.agent;
  auto delay = std::chrono::milliseconds::max();
  for (const auto* problem : {&observed.deployment_problem, &observed.service_problem}) {
    if (*problem) delay = std::min(delay, agents::RetryAfter((*problem)->kind, settings_));
  }
  // What RecallRefusals put back is older and stays.
  refusals_.Lock()->try_emplace(
      agent.meta.key(), Refusal{agent.meta.uid, agent.meta.generation, clock_.Mono() + delay,
                                observed.deployment_problem, observed.service_problem});
}

Status Reconciler::Act(Observed& observed, PlanResult& plan, std::stop_token stop) {
  for (int round = 0; !plan.actions.empty(); ++round) {
    if (round == kMaxRounds) {
      log_.Warn("a plan does not come to rest, trying again later",
                {{"namespace", observed.agent->meta.ns}, {"agent", observed.agent->meta.name}});
      return Error{ErrorKind::kConflict, "the plan does not come to rest"};
    }
    for (const agents::Action& action : plan.actions) {
      const bool had_problem =
          observed.deployment_problem || observed.service_problem || observed.predecessor_remains;
      Status done = children_.Execute(action, observed, stop);
      if (!done) {
        // The status must not say that what was planned exists; it says what is known.
        plan = agents::Plan(observed, settings_, clock_.Wall());
        return done;
      }
      const bool has_problem =
          observed.deployment_problem || observed.service_problem || observed.predecessor_remains;
      if (has_problem == had_problem) {
        events_.Record(*observed.agent, DescribeAction(action, *observed.agent));
        log_.Debug("child written",
                   {{"namespace", observed.agent->meta.ns},
                    {"agent", observed.agent->meta.name},
                    {"child", action.child == ChildKind::kDeployment ? "Deployment" : "Service"},
                    {"reason", action.reason}});
      }
      if (observed.predecessor_remains) break;
    }
    plan = agents::Plan(observed, settings_, clock_.Wall());
  }
  return Ok();
}

Status Reconciler::WriteStatus(const api::Agent& agent, const PlanResult& plan,
                               std::stop_token stop) {
  json changed = api::StatusPatch(agent.status, plan.status);
  if (changed.empty()) return Ok();
  const json patch{{"metadata", {{"resourceVersion", std::to_string(agent.meta.resource_version)}}},
                   {"status", std::move(changed)}};
  const MonoTime began = clock_.Mono();
  const auto written = client_.MergePatch(kube::kAgents, agent.meta.key(), "status", patch, stop);
  if (!written) {
    // Gone in the meantime: nothing left to say.
    return written.error().kind == ErrorKind::kNotFound ? Ok() : Status(written.error());
  }
  observer_.StatusWritten(clock_.Mono() - began);
  auto meta = api::Guard<api::ObjectMeta>(*written, api::kAgentKind,
                                          [](const json& o) { return api::ReadMeta(o); });
  if (!meta) return meta.error();
  writes_.Wrote(agent.meta.key(), Cached::kAgent, meta->resource_version);
  Tell(agent, plan);
  return Ok();
}

void Reconciler::Tell(const api::Agent& agent, const PlanResult& plan) {
  const api::AgentStatus& before = agent.status;
  const api::AgentStatus& after = plan.status;
  for (const agents::EventNote& event : plan.events) {
    events_.Record(agent, {event.warning, event.reason, "Reconcile", event.note});
  }
  if (before.state != after.state) {
    observer_.StateChanged(ToString(before.state), ToString(after.state));
    const api::Condition* ready = after.FindCondition(api::condition::kReady);
    log_.Info("agent changed state", {{"agent_id", after.agent_id},
                                      {"agent_type", agent.spec.type},
                                      {"namespace", agent.meta.ns},
                                      {"from", ToString(before.state)},
                                      {"state", ToString(after.state)},
                                      {"health", ToString(after.health)},
                                      {"reason", ready ? ready->reason : ""}});
  }
  // Once in an Agent's life: later returns are recoveries, not start-ups.
  const bool first =
      std::none_of(before.history.begin(), before.history.end(),
                   [](const api::HistoryEntry& entry) { return entry.to == "Running"; });
  if (BecameAvailable(before, after) && first) {
    observer_.BecameReady(agent.spec.type, clock_.Wall() - agent.meta.creation_time);
  }
}

}  // namespace roster::controller
