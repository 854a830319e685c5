#include "agents/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "api/names.h"

namespace roster::agents {
namespace {

using api::Deployment;
using api::DesiredState;
using api::Pod;
namespace reason = api::reason;

struct Ranked {
  Trouble trouble = Trouble::kNone;
  Problem words;
  int claim = 0;  ///< Which of several troubles of one kind is told: the first with the most.

  void Worsen(Trouble other, Problem problem, int its_claim = 0) {
    if (other == Trouble::kNone || std::pair(other, its_claim) <= std::pair(trouble, claim)) return;
    *this = {other, std::move(problem), its_claim};
  }
};

// Why a container waits, after the kubelet has tried more than once or while it waits for something
// that somebody must bring.
constexpr std::array<std::string_view, 7> kFailingReasons{"CrashLoopBackOff",
                                                          "ImagePullBackOff",
                                                          "CreateContainerConfigError",
                                                          "CreateContainerError",
                                                          "RunContainerError",
                                                          "ErrImageNeverPull",
                                                          "StartError"};

bool IsFailingReason(std::string_view why) {
  return std::find(kFailingReasons.begin(), kFailingReasons.end(), why) != kFailingReasons.end();
}

Trouble TroubleOf(const Pod& pod) {
  if (pod.problem.empty()) return Trouble::kNone;
  if (pod.problem == reason::kInvalidImageName) return Trouble::kTerminal;
  return IsFailingReason(pod.problem) ? Trouble::kFailing : Trouble::kPassing;
}

// A reason as a condition may carry it; Kubernetes promises none of what it passes on to us.
std::string ReasonWord(std::string_view text, std::string_view otherwise) {
  const auto alpha = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const bool usable = !text.empty() && text.size() <= 128 && alpha(text.front()) &&
                      std::all_of(text.begin(), text.end(), word);
  return std::string(usable ? text : otherwise);
}

std::string AboutPod(const Pod& pod) {
  return fmt::format("pod {}: ", pod.meta.name);
}

Problem WordsOf(const Pod& pod) {
  return {ReasonWord(pod.problem, reason::kPodsNotReady), AboutPod(pod) + pod.problem_message};
}

// One set of words for a crash loop, whether its container waits, runs for a moment or has just
// ended, so that the loop is told once and not at each of its turns.
Problem WordsOfCrashLoop(const Pod& pod) {
  const std::string& why = pod.last_exit.empty() ? pod.problem_message : pod.last_exit;
  return {std::string(reason::kCrashLoopBackOff),
          fmt::format("{}{}; restarts so far: {}", AboutPod(pod), why, pod.restarts)};
}

bool SaysCrashLoop(const Pod& pod) {
  if (pod.problem == reason::kCrashLoopBackOff) return true;
  return pod.restarts > 0 && (pod.problem == "StartError" || pod.problem == "RunContainerError");
}

// Evicted, preempted or completed: a record that may lie there for weeks. Its successor is what
// counts.
bool HasEnded(const Pod& pod) {
  return pod.phase == "Failed" || pod.phase == "Succeeded";
}

// The Deployment controller has one reason, FailedCreate, for what its users tell apart.
Ranked JudgeReplicaFailure(const std::pair<std::string, std::string>& failure) {
  const auto& [why, message] = failure;
  const auto says = [&](std::string_view words) {
    return message.find(words) != std::string::npos;
  };
  if (says("exceeded quota")) {
    return {Trouble::kTerminal, {std::string(reason::kQuotaExceeded), message}};
  }
  if (says("violates PodSecurity")) {
    return {Trouble::kTerminal, {std::string(reason::kPodSecurityViolation), message}};
  }
  // May come a moment later, with the namespace or with the rest of what is being applied.
  if (says("error looking up service account")) {
    return {Trouble::kFailing, {std::string(reason::kServiceAccountNotFound), message}};
  }
  // A refusal stands; anything else, such as a webhook without an answer, is tried again.
  const bool refused = says("is forbidden") || says("is invalid");
  return {refused ? Trouble::kTerminal : Trouble::kFailing,
          {ReasonWord(why, reason::kFailedCreate), message}};
}

bool Settled(const Pod& pod, const Settings& settings, WallTime now) {
  return pod.ready && (pod.restarts == 0 || now - pod.ready_since >= settings.settle_time);
}

// An agent that was paused before any pod was ready has no health yet, and is no less on its way
// up.
bool WasUp(const api::AgentStatus& status) {
  if (status.state == api::AgentState::kPaused) return status.health != api::Health::kUnknown;
  return status.state == api::AgentState::kRunning;
}

class Gatherer {
 public:
  Gatherer(const Observed& observed, const Settings& settings, WallTime now)
      : o_(observed),
        settings_(settings),
        now_(now),
        told_(observed.agent->status.FindCondition(api::condition::kHealthy)),
        was_failing_(told_ != nullptr && told_->status == api::ConditionStatus::kFalse &&
                     IsFailingReason(told_->reason)) {}

  FactsAndWords Gather(const std::optional<std::string>& invalid_template) {
    const api::Agent& agent = *o_.agent;
    Facts& f = result_.facts;
    f.kind = agent.spec.endpoint ? Kind::kEndpoint : Kind::kWorkload;
    f.desired = agent.spec.desired_state;
    f.deleting = agent.meta.deleting;
    f.not_started = api::Find(agent.annotations, api::annotation::kNotStarted) != nullptr;
    f.was_up = WasUp(agent.status);
    f.beat =
        f.kind == Kind::kEndpoint && agent.spec.heartbeat.policy == api::HeartbeatPolicy::kRequired
            ? Beat::kAwaited
            : Beat::kNotExpected;
    GatherRefusal(invalid_template);
    if (f.kind == Kind::kWorkload) GatherWorkload();
    return std::move(result_);
  }

 private:
  void GatherRefusal(const std::optional<std::string>& invalid_template) {
    if (!o_.id_holder.empty()) {
      result_.facts.refusal = Refusal::kIdentity;
      result_.refusal = {
          std::string(reason::kDuplicateID),
          fmt::format(
              "agentID \"{}\" is held by the older Agent \"{}\" of this namespace; choose another "
              "spec.agentID in a new Agent, or delete that one",
              o_.agent->EffectiveId(), o_.id_holder)};
    } else if (invalid_template) {
      result_.facts.refusal = Refusal::kTemplate;
      result_.refusal = {std::string(reason::kInvalidPodTemplate), *invalid_template};
    }
  }

  void GatherWorkload() {
    Facts& f = result_.facts;
    result_.wanted = WantedReplicas(o_.agent->spec);
    f.zero_wanted = o_.agent->spec.replicas == 0;
    Ranked trouble;
    CountPods(trouble);
    if (o_.deployment) JudgeDeployment(*o_.deployment, trouble);
    f.pods = CountedPods();
    // Once the wanted pods are all there, or none is wanted, what they or older ones suffered from
    // is over; the Deployment's own conditions may take a moment to say so.
    if (f.pods == Pods::kAllReady || result_.wanted == 0) trouble = {};
    if (o_.predecessor_remains) {
      trouble.Worsen(Trouble::kPassing,
                     {std::string(reason::kAwaitingDeletion),
                      "the children of a deleted Agent of the same name are still being removed"});
    }
    // As long as the Deployment cannot be written, nothing that is done about the pods will reach
    // them.
    if (o_.deployment_problem) trouble = {Trouble::kTerminal, o_.deployment_problem->problem};
    f.trouble = trouble.trouble;
    result_.trouble = std::move(trouble.words);
    if (ServiceBlocked(o_)) {
      f.service_blocked = true;
      result_.service_trouble = o_.service_problem->problem;
    }
  }

  void CountPods(Ranked& trouble) {
    for (const auto& pod : o_.pods) {
      if (HasEnded(*pod)) continue;
      ++result_.existing;
      result_.restarts += pod->restarts;
      if (pod->meta.deleting) {
        ++result_.leaving;
        continue;
      }
      if (pod->phase == "Running") running_ = true;
      JudgePod(*pod, trouble);
      if (!pod->ready) continue;
      if (Settled(*pod, settings_, now_)) {
        ++settled_;
        continue;
      }
      const auto left = settings_.settle_time - (now_ - pod->ready_since);
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left);
      result_.look_again = std::min(result_.look_again.value_or(wait), wait);
    }
  }

  void JudgePod(const Pod& pod, Ranked& trouble) const {
    // Of several pods the one that the status speaks of goes on being told, so that they do not
    // take turns; else one that says so itself.
    const int told = TellsOf(pod) ? 2 : 0;
    const Trouble now = TroubleOf(pod);
    if (SaysCrashLoop(pod)) {
      trouble.Worsen(Trouble::kFailing, WordsOfCrashLoop(pod), told + 1);
    } else if (was_failing_ && now < Trouble::kFailing && pod.restarts > 0 &&
               !Settled(pod, settings_, now_)) {
      // Between two crashes nothing is waiting: what failed stays failed until it has proved
      // itself.
      trouble.Worsen(Trouble::kFailing, WordsOfCrashLoop(pod), told);
    } else if (was_failing_ && now == Trouble::kPassing && TellsOf(pod)) {
      // One more try of the same, as when ErrImagePull follows on ImagePullBackOff, is no new
      // state.
      trouble.Worsen(Trouble::kFailing, {told_->reason, told_->message}, told);
    } else {
      trouble.Worsen(now, WordsOf(pod), told + 1);
    }
  }

  // True if this pod is why, according to the status, the Agent is not Healthy.
  bool TellsOf(const Pod& pod) const {
    return told_ != nullptr && told_->message.starts_with(AboutPod(pod));
  }

  static void JudgeDeployment(const Deployment& deployment, Ranked& trouble) {
    if (deployment.replica_failure) {
      Ranked failure = JudgeReplicaFailure(*deployment.replica_failure);
      trouble.Worsen(failure.trouble, std::move(failure.words));
    }
    if (!deployment.not_progressing || trouble.trouble >= Trouble::kFailing) return;
    // Of that the time is over and what a pod waits for, the latter is what helps.
    const auto& [why, message] = *deployment.not_progressing;
    if (trouble.trouble == Trouble::kNone) {
      trouble.words = {ReasonWord(why, reason::kProgressDeadlineExceeded), message};
    }
    trouble.trouble = Trouble::kFailing;
  }

  Pods CountedPods() {
    const Deployment* d = o_.deployment.get();
    result_.existing = std::max(result_.existing, d != nullptr ? d->current_replicas : 0);
    if (result_.existing == 0) {
      // Not stopped yet, as long as the Deployment may still make pods.
      const bool may_make_pods = result_.wanted == 0 && d != nullptr && d->replicas > 0;
      return may_make_pods ? Pods::kPending : Pods::kNone;
    }
    // Pods and Deployment come by two watches. A pod that just crashed may still be counted as
    // ready by its Deployment, and one that just became ready not yet: ready is what both say.
    result_.ready = d != nullptr ? std::min(d->ready_replicas, settled_) : 0;
    if (result_.ready == 0) return running_ ? Pods::kUnready : Pods::kPending;
    if (result_.ready < result_.wanted) return Pods::kSomeReady;
    const bool complete = d->observed_generation >= d->meta.generation &&
                          d->replicas == result_.wanted && d->updated_replicas == result_.wanted &&
                          d->current_replicas == result_.wanted &&
                          d->ready_replicas == result_.wanted;
    return complete ? Pods::kAllReady : Pods::kRollingOut;
  }

  const Observed& o_;
  const Settings& settings_;
  const WallTime now_;
  // What was said last of the pods: the one thing that is remembered from look to look. Of Healthy
  // and not of Ready, because what blocks the Service does not hide it there.
  const api::Condition* const told_;
  const bool was_failing_;
  FactsAndWords result_;
  bool running_ = false;
  int32_t settled_ = 0;
};

}  // namespace

int32_t WantedReplicas(const api::AgentSpec& spec) {
  return spec.desired_state == DesiredState::kStopped ? 0 : spec.replicas;
}

bool ServiceBlocked(const Observed& observed) {
  const auto& workload = observed.agent->spec.workload;
  return observed.service_problem && ((workload && workload->port) || observed.service);
}

FactsAndWords GatherFacts(const Observed& observed, const Settings& settings,
                          const std::optional<std::string>& invalid_template, WallTime now) {
  return Gatherer(observed, settings, now).Gather(invalid_template);
}

}  // namespace roster::agents
