#include "controller/controller.h"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>

#include "api/names.h"

namespace roster::controller {
namespace {

std::string InstanceName(const Jitter& jitter) {
  char host[256] = "unknown";
  if (gethostname(host, sizeof host) != 0) host[0] = '\0';
  host[sizeof host - 1] = '\0';
  // At most 128 bytes are allowed for reportingInstance.
  return fmt::format("{:.100}_{:08x}", host, static_cast<uint32_t>(jitter() * 4294967296.0));
}

std::string ChildSelector() {
  return fmt::format("{}={}", api::label::kManagedBy, api::label::kManagedByRoster);
}

}  // namespace

Controller::Controller(kube::Client& client, const Clock& clock, Logger log, Observer& observer,
                       Jitter jitter, ControllerOptions options)
    : client_(client),
      clock_(clock),
      log_(log),
      observer_(observer),
      jitter_(jitter),
      options_(std::move(options)),
      agents_(store::MakeAgentStore()),
      pods_(store::MakePodStore()),
      queue_(clock, observer, options_.queue),
      writes_(clock),
      events_(client, clock, log, observer, {.instance = InstanceName(jitter)}),
      reconciler_(client, {*agents_, deployments_, services_, *pods_}, writes_, events_, clock, log,
                  observer, options_.plan) {
  AddInformers();
}

void Controller::AddInformers() {
  const auto rewound = [this] { writes_.ForgetAll(); };
  const auto add = [&](std::unique_ptr<Reflection> reflection, const kube::Resource& resource,
                       const std::string& ns, std::string selector) {
    reflections_.push_back(std::move(reflection));
    Informer::Options informer;
    informer.resource = &resource;
    informer.ns = ns;
    informer.label_selector = std::move(selector);
    informers_.push_back(std::make_unique<Informer>(client_, clock_, log_, observer_, jitter_,
                                                    *reflections_.back(), rewound,
                                                    std::move(informer)));
  };
  const auto on_child = [this](const auto& change, Priority priority) {
    queue_.Add((change.after ? change.after : change.before)->meta.key(), priority);
  };
  std::vector<std::string> scopes = options_.namespaces;
  if (scopes.empty()) scopes.emplace_back();
  for (const std::string& ns : scopes) {
    add(std::make_unique<StoreReflection<api::Agent>>(
            *agents_, ns, &api::ParseAgent,
            [this](const auto& change, Priority p) { OnAgent(change, p); }),
        kube::kAgents, ns, "");
    add(std::make_unique<StoreReflection<api::Deployment>>(deployments_, ns, &api::ParseDeployment,
                                                           on_child),
        kube::kDeployments, ns, ChildSelector());
    add(std::make_unique<StoreReflection<api::Service>>(services_, ns, &api::ParseService,
                                                        on_child),
        kube::kServices, ns, ChildSelector());
    add(std::make_unique<StoreReflection<api::Pod>>(
            *pods_, ns, &api::ParsePod,
            [this](const auto& change, Priority p) { OnPod(change, p); }),
        kube::kPods, ns, ChildSelector());
  }
}

void Controller::OnAgent(const store::AgentStore::Change& change, Priority priority) {
  const api::Agent& agent = change.after ? *change.after : *change.before;
  if (!change.before) {
    log_.Debug("agent loaded", {{"agent_id", agent.EffectiveId()},
                                {"agent_type", agent.spec.type},
                                {"state", ToString(agent.status.state)},
                                {"namespace", agent.meta.ns}});
  }
  const api::ObjectKey key = agent.meta.key();
  if (change.before && change.after && writes_.IsIdleEcho(key, agent.meta.resource_version)) return;
  queue_.Add(key, priority);
  // Whoever waits for this one's id, or now has to, looks again.
  if (change.before && change.after) return;
  for (const auto& other : store::AgentsWithId(*agents_, agent.meta.ns, agent.EffectiveId())) {
    if (other->meta.uid != agent.meta.uid) queue_.Add(other->meta.key(), priority);
  }
}

void Controller::OnPod(const store::PodStore::Change& change, Priority priority) {
  const api::Pod& pod = change.after ? *change.after : *change.before;
  // Pods of an Agent that is not known yet are looked at when it comes.
  if (const auto agent = store::AgentWithUid(*agents_, pod.agent_uid))
    queue_.Add(agent->meta.key(), priority);
}

bool Controller::synced() const {
  return agents_->synced() && deployments_.synced() && services_.synced() && pods_->synced();
}

std::vector<Controller::WatchHealth> Controller::Watches() const {
  std::vector<WatchHealth> watches;
  for (const auto& informer : informers_) {
    const Informer::Options& options = informer->options();
    WatchHealth health;
    health.resource =
        std::string(options.resource->plural) + (options.ns.empty() ? "" : "/" + options.ns);
    const bool is[] = {options.resource == &kube::kAgents && agents_->synced(),
                       options.resource == &kube::kDeployments && deployments_.synced(),
                       options.resource == &kube::kServices && services_.synced(),
                       options.resource == &kube::kPods && pods_->synced()};
    health.synced = is[0] || is[1] || is[2] || is[3];
    health.error = informer->last_error();
    watches.push_back(std::move(health));
  }
  return watches;
}

std::vector<Controller::ThreadBody> Controller::InformerThreads() {
  std::vector<ThreadBody> bodies;
  for (const auto& informer : informers_) {
    bodies.push_back(
        {"informer-" + std::string(informer->options().resource->plural),
         [&informer = *informer](std::stop_token stop) { informer.Run(std::move(stop)); }});
  }
  return bodies;
}

std::vector<Controller::ThreadBody> Controller::WorkerThreads() {
  std::vector<ThreadBody> bodies;
  for (int i = 0; i < options_.workers; ++i) {
    bodies.push_back({fmt::format("worker-{}", i), [this](std::stop_token stop) {
                        while (const auto key = queue_.Pop(stop)) Process(*key);
                      }});
  }
  bodies.push_back({"resync", [this](std::stop_token stop) { RunResync(std::move(stop)); }});
  return bodies;
}

Controller::ThreadBody Controller::EventThread() {
  return {"events",
          [this](std::stop_token stop) { events_.Run(std::move(stop), hard_stop_.get_token()); }};
}

void Controller::RunResync(std::stop_token stop) {
  for (;;) {
    const double spread = 0.9 + 0.2 * jitter_();
    const auto delay = std::chrono::milliseconds(
        static_cast<int64_t>(static_cast<double>(options_.resync_interval.count()) * spread));
    if (!clock_.SleepFor(delay, stop)) return;
    for (const auto& agent : agents_->All()) queue_.Add(agent->meta.key(), Priority::kBackground);
  }
}

void Controller::Process(const api::ObjectKey& key) {
  observer_.WorkerBusy(true);
  const MonoTime began = clock_.Mono();
  Reconciler::Outcome outcome;
  try {
    outcome = reconciler_.Reconcile(key, hard_stop_.get_token());
  } catch (const std::exception& e) {
    // A bug that meets one Agent must not take the others down with it.
    observer_.ReconcilePanicked();
    log_.Warn("a reconcile threw, which is a bug; trying again",
              {{"namespace", key.ns}, {"agent", key.name}, {"error", e.what()}});
    outcome.result = ReconcileResult::kError;
  }
  switch (outcome.result) {
    case ReconcileResult::kSuccess:
      queue_.Forget(key);
      break;
    case ReconcileResult::kRequeueAfter:
      queue_.Forget(key);
      queue_.AddAfter(key, outcome.after.value_or(std::chrono::milliseconds(0)));
      break;
    case ReconcileResult::kRequeue:
      queue_.AddBackoff(key);
      break;
    case ReconcileResult::kError:
      if (outcome.after) {
        queue_.AddAfter(key, *outcome.after);
      } else {
        queue_.AddBackoff(key);
      }
      break;
  }
  queue_.Done(key);
  observer_.Reconciled(outcome.result, clock_.Mono() - began);
  observer_.WorkerBusy(false);
}

void Controller::StepInformers(std::stop_token stop) {
  for (const auto& informer : informers_) informer->Step(stop);
}

bool Controller::StepWorker() {
  const auto key = queue_.TryPop();
  if (!key) return false;
  Process(*key);
  return true;
}

void Controller::StepEvents() {
  events_.Flush(hard_stop_.get_token());
}

}  // namespace roster::controller
