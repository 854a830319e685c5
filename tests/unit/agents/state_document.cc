// Writes docs/states.md from the state table.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "agents/observed.h"
#include "unit/agents/state_rows.h"

namespace roster::agents {
namespace {

using api::AgentState;
using api::DesiredState;
using api::Health;

std::string Join(const std::vector<std::string>& parts, std::string_view with) {
  std::string joined;
  for (const std::string& part : parts) {
    if (!joined.empty()) joined += with;
    joined += part;
  }
  return joined;
}

template <class T>
using Words = std::initializer_list<std::pair<T, std::string_view>>;

// "any of these" in words; nothing if the fact does not matter.
template <class T>
void Say(std::vector<std::string>& phrases, const Any<T>& any, std::string_view pattern,
         Words<T> words) {
  if (any.all()) return;
  std::vector<std::string> named;
  std::vector<std::string> others;
  for (const auto& [value, word] : words) (any.Has(value) ? named : others).emplace_back(word);
  if (named.size() > 2 && others.size() == 1) named = {"any but " + others.front()};
  phrases.push_back(fmt::format(fmt::runtime(pattern), Join(named, " or ")));
}

std::string Describe(const When& when) {
  std::vector<std::string> phrases;
  Say(phrases, when.kind, "{}", {{Kind::kWorkload, "workload"}, {Kind::kEndpoint, "endpoint"}});
  Say(phrases, when.deleting, "{}", {{true, "being deleted"}, {false, "not being deleted"}});
  Say(phrases, when.refusal, "{}",
      {{Refusal::kNone, "accepted"},
       {Refusal::kIdentity, "its agentID is another's"},
       {Refusal::kTemplate, "its pod template cannot be used"}});
  Say(phrases, when.state, "state {}",
      {{AgentState::kCreated, "Created"},
       {AgentState::kStarting, "Starting"},
       {AgentState::kRunning, "Running"},
       {AgentState::kPaused, "Paused"},
       {AgentState::kStopping, "Stopping"},
       {AgentState::kStopped, "Stopped"},
       {AgentState::kFailed, "Failed"},
       {AgentState::kLost, "Lost"},
       {AgentState::kTerminating, "Terminating"}});
  Say(phrases, when.health, "health {}",
      {{Health::kHealthy, "Healthy"},
       {Health::kDegraded, "Degraded"},
       {Health::kUnhealthy, "Unhealthy"},
       {Health::kUnknown, "Unknown"}});
  Say(phrases, when.desired, "desired {}",
      {{DesiredState::kRunning, "Running"},
       {DesiredState::kPaused, "Paused"},
       {DesiredState::kStopped, "Stopped"}});
  Say(phrases, when.not_started, "{}",
      {{true, "never started nor stopped"}, {false, "started before"}});
  Say(phrases, when.zero_wanted, "{}", {{true, "replicas 0"}, {false, "replicas above 0"}});
  Say(phrases, when.was_up, "{}",
      {{true, "a pod was ready before"}, {false, "no pod was ready before"}});
  Say(phrases, when.pods, "pods: {}",
      {{Pods::kNone, "none"},
       {Pods::kPending, "pending"},
       {Pods::kUnready, "unready"},
       {Pods::kSomeReady, "some ready"},
       {Pods::kRollingOut, "rolling out"},
       {Pods::kAllReady, "all ready"}});
  Say(phrases, when.trouble, "trouble: {}",
      {{Trouble::kNone, "none"},
       {Trouble::kPassing, "passing"},
       {Trouble::kFailing, "failing"},
       {Trouble::kTerminal, "terminal"}});
  Say(phrases, when.service_blocked, "{}",
      {{true, "its Service cannot be written"}, {false, "its Service can be written"}});
  Say(phrases, when.pending, "{}",
      {{true, "a change has still to be written"}, {false, "all is written"}});
  Say(phrases, when.beat, "heartbeat: {}",
      {{Beat::kNotExpected, "none expected"},
       {Beat::kAwaited, "awaited"},
       {Beat::kFresh, "fresh"},
       {Beat::kLate, "late"}});
  Say(phrases, when.report, "reports {}",
      {{Report::kNone, "nothing"},
       {Report::kHealthy, "healthy"},
       {Report::kDegraded, "degraded"},
       {Report::kUnhealthy, "unhealthy"}});
  return phrases.empty() ? "otherwise" : Join(phrases, "; ");
}

std::string Reason(std::string_view reason) {
  if (reason == kOwnReason) return "its own reason";
  if (reason == kServiceReason) return "the Service's reason";
  if (reason == kReasonOfHealthy) return "the reason of Healthy";
  return fmt::format("`{}`", reason);
}

std::string Print(const Cell& cell) {
  return cell.present ? fmt::format("{}, {}", ToString(cell.status), Reason(cell.reason))
                      : "absent";
}

std::string Print(Beside beside) {
  switch (beside) {
    case Beside::kNothing:
      return "–";
    case Beside::kReconciling:
      return "Reconciling";
    case Beside::kStalled:
      return "Stalled";
  }
  return "";
}

std::string_view Print(Trouble trouble) {
  switch (trouble) {
    case Trouble::kNone:
      return "none";
    case Trouble::kPassing:
      return "passing";
    case Trouble::kFailing:
      return "failing";
    case Trouble::kTerminal:
      return "terminal";
  }
  return "";
}

class Markdown {
 public:
  void Text(std::string_view text) { (text_ += text) += "\n"; }
  void Row(const std::vector<std::string>& cells) { Text("| " + Join(cells, " | ") + " |"); }
  void Head(const std::vector<std::string>& cells) {
    Row(cells);
    Row(std::vector<std::string>(cells.size(), "---"));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

constexpr std::string_view kIntroduction = R"(# States, health and conditions

<!-- Generated from the state table in tests/unit/agents/state_rows.cc. Do not edit: change the table or
     tests/unit/agents/state_document.cc, and run
     ROSTER_UPDATE_DOCS=docs build/release/bin/state_table_test -->

You write `spec`; Roster observes and writes `status`. This page says what it concludes from what it sees.
The tables at the end are the very ones that the operator is tested against, for every combination of
inputs.

```sh
kubectl get agents.agentroster.dev            # STATE, HEALTH and READY at a glance
kubectl describe agents.agentroster.dev NAME  # why: the conditions, the history and the Events
kubectl wait --for=condition=Available agents.agentroster.dev/NAME
```

## State: what the agent is doing

| `status.state` | meaning |
| --- | --- |
| Created | Registered over HTTP, and neither started nor stopped since. |
| Starting | It is to run, and its pods are coming, or its first heartbeat is awaited. |
| Running | A pod is ready; or, for an endpoint agent, nothing says that it is gone. An agent whose pods all cease to be ready while their containers run stays Running, and is Unhealthy. |
| Paused | `spec.desiredState` is Paused. Its pods stay, and its Service sends them nothing. |
| Stopping | It is to have no pods, and some still exist. |
| Stopped | It has no pods, as asked: `spec.desiredState` is Stopped, or `spec.replicas` is 0. |
| Failed | It does not come up. The condition Ready says why. |
| Lost | An endpoint agent whose required heartbeat is late. |
| Terminating | The Agent is being deleted. |

The last ten changes stand in `status.history`, newest last, and each is told once as an Event. The state
is derived from what is observed: to write it yourself changes nothing, Roster overwrites it.

This version does not receive heartbeats yet. An endpoint agent that must send them is Starting; Lost, the
reason `HeartbeatLate` and what an agent says of its own health do not occur.

## Health: one verdict from several signals

Each signal alone lies. A pod may be ready while its agent no longer works, and an agent may send
heartbeats from a pod that no request reaches. So the health is the worst that any of them says.

| `status.health` | meaning |
| --- | --- |
| Healthy | All that is asked for is ready, and no signal says otherwise. |
| Degraded | Usable, but not all well: pods are missing, a rollout fails while older pods still serve, or the agent says so itself. |
| Unhealthy | Not usable: no pod is ready although some were or should be, a required heartbeat is late, or the agent says so itself. |
| Unknown | There is nothing to judge by: it is stopped, still coming up, or nobody reports. |

## Conditions: what to ask for

| condition | True means | present |
| --- | --- | --- |
| Ready | What the spec asks for is what exists. A stopped agent without pods is Ready, and so is a paused one. | always |
| Available | It can be used now: Running, Healthy or Degraded, and reachable. Orchestrators ask for this one. | always |
| Healthy | The health is Healthy. | always |
| Accepted | The manifest makes sense beyond what the API server can check. | always |
| WorkloadAvailable | At least one pod is ready. | for workload agents |
| HeartbeatFresh | The last heartbeat is recent enough. | while heartbeats count |
| Reconciling | Ready is False, and Roster or Kubernetes is at work on it. | only while true |
| Stalled | Ready is False, and nothing will change before somebody changes something. | only while true |

A late heartbeat makes Healthy and Available false, but not Ready: everything that the spec asks for exists,
and a tool that waits for Ready would wait for ever.

Every condition carries the `observedGeneration` it speaks of, and its `lastTransitionTime` moves only when
its status does. Tools that judge by kstatus (Flux, Helm, kpt) conclude:

| conditions | kstatus |
| --- | --- |
| no status yet (`observedGeneration: -1`), or one of an older generation | InProgress |
| Reconciling | InProgress |
| Stalled | Failed |
| Ready | Current |
| being deleted | Terminating |

## What you can ask for

`spec.desiredState` may be set to any value at any time.

| you do | workload agent | endpoint agent | resident agent |
| --- | --- | --- | --- |
| start: `desiredState: Running` | The Deployment is scaled to `spec.replicas`, and the Service sends requests. | Its heartbeats count, and it may be given work. | As any agent, with one pod. |
| pause: `desiredState: Paused` | Pods stay. The Service's selector gets a label that no pod has, so that no new connection reaches them; connections that are open live on. | It is given no work. | As any agent. |
| stop: `desiredState: Stopped` | First the Service lets go of the pods, then the Deployment is scaled to 0. | It is given no work. Roster cannot end its process. | As any agent: "never scaled" does not mean "never stopped". |
| scale: `replicas: N` | The Deployment has N pods. 0 is Stopped, with the reason ScaledToZero. | Refused by the API server. | Refused by the API server unless N is 1. |
| restart: a new `restartedAt` | The pods are replaced as by a new version: new ones come up before old ones go. | Nothing: there are no pods. | The old pod ends before the new one starts, so that it never runs twice. |

## When something fails

Roster tells three kinds of trouble apart.

- **Passing**: expected to pass. The agent is Starting, or goes on as it was; Reconciling is True.
- **Failing**: it has failed more than once, and Kubernetes keeps trying. If no pod is ready the agent is
  Failed; Reconciling is True, because it heals without anybody's help once the cause is gone (the image
  appears, the Secret is created, the program no longer crashes).
- **Terminal**: nothing will change until somebody changes something. Ready is False and Stalled is True,
  with the server's own words. If no pod is ready the agent is Failed; pods that still run go on running.

As long as at least one pod is ready the agent is Running, whatever befalls the others; then it is Degraded.
)";

constexpr std::string_view kCrashLoops = R"(
### Crash loops, and how they heal

A container that ends for the first time is restarted at once: that is passing. When it ends again Kubernetes
waits before each restart, at first 10 s and in the end 5 min, and says CrashLoopBackOff. From then on the
trouble is failing, and the agent is Failed if none of its pods is ready.

Between two crashes such a pod runs for a moment and may even be ready. Roster does not believe it at once: a
pod that has been restarted counts as ready only after it has been ready for **{} s** without a break. So a
crash loop is shown as one Failed and not as a change of state at every turn. The condition Ready says how
the container ended last, and all that changes from turn to turn is the number of restarts.

An agent that lasts longer than that between two crashes does alternate between Running and Failed, because
each is true in its turn. `status.restarts` and the Events tell.

To mend it, correct the spec or what the agent depends on; nothing has to be reset. A new revision counts
from its first ready pod on.

### What the API server or the cluster refuses

What keeps the Deployment from making pods stands in its own status, and Roster passes it on:
)";

constexpr std::string_view kWrites = R"(
When Roster itself cannot write the Deployment or the Service, that is terminal, too:

| reason | meaning | tried again |
| --- | --- | --- |
| `NameConflict` | A Deployment or Service of the Agent's name exists and is not Roster's. It is left untouched. | every {} s |
| `WriteForbidden` | RBAC, a quota or a policy forbids the write (403). | every {} s |
| `WriteRefused` | The API server finds the object invalid (422). | at a new spec, and every {} min |

If only the Service cannot be written the pods run, and the state and the health are theirs; but Ready is
False, Available is False, and `status.endpoint` is empty, since that name leads nowhere or to somebody else.

Two things make an Agent unacceptable (Accepted is False):

| reason | meaning | what runs already |
| --- | --- | --- |
| `DuplicateID` | An older Agent of the namespace has the same `agentID`. The younger one is Failed until that one is gone. | is left alone, but can be stopped |
| `InvalidPodTemplate` | `spec.workload.podTemplate` is larger than {} KiB or has the wrong shape. | runs on, and counts |

Other reasons of Ready=False pass by themselves: `CreatingWorkload`, `Starting`, `PodsNotReady`,
`RollingOut`, `Stopping`, `Terminating`, `Updating` (a change of the spec has still to be written), and
`AwaitingDeletion` (the children of a deleted Agent of the same name are not gone yet).

## The tables

In each table the first row that fits decides. What a row does not mention does not matter to it.

- **pods**: *none*; *pending*: they exist, and none runs yet; *unready*: containers run, none is ready; *some
  ready*: fewer than asked for; *rolling out*: enough are ready, but not all are of the revision or number asked
  for; *all ready*: exactly what is asked for. Pods that have ended (evicted, completed) do not count.
- **trouble**: as above. A pod template that cannot be used counts as terminal trouble.
- **heartbeat**: *none expected*: the policy is Disabled, or Optional and there is no fresh one; *awaited*: the
  policy is Required and none has come yet; *fresh*; *late*: Required, and older than `spec.heartbeat.timeout`.
- **its own reason**: the reason and message of the trouble, such as `CrashLoopBackOff`, or of why the Agent is
  not accepted. **the Service's reason**: those of what keeps the Service from being written.
)";

}  // namespace

std::string StateDocument() {
  Markdown page;
  const Settings settings;
  page.Text(kIntroduction);
  page.Head({"what a pod says", "meaning", "trouble"});
  for (const TroubleRow& row : PodTroubles()) {
    page.Row({fmt::format("`{}`", row.reason), std::string(row.meaning),
              std::string(Print(row.trouble))});
  }
  page.Row({"`ProgressDeadlineExceeded`",
            "a rollout made no progress for 10 min; what a pod waits for, if it says so, is shown "
            "instead",
            "failing"});
  page.Text(fmt::format(fmt::runtime(kCrashLoops), settings.settle_time.count()));
  page.Head({"meaning", "reason", "trouble"});
  for (const FailureRow& row : ReplicaFailures()) {
    page.Row({std::string(row.meaning), fmt::format("`{}`", row.reason),
              std::string(Print(row.trouble))});
  }
  const auto seconds = [](std::chrono::milliseconds time) { return time.count() / 1000; };
  page.Text(fmt::format(fmt::runtime(kWrites), seconds(settings.retry_conflict),
                        seconds(settings.retry_forbidden), seconds(settings.retry_refused) / 60,
                        settings.max_pod_template / 1024));

  page.Text("### State and WorkloadAvailable\n");
  page.Head({"row", "when", "state", "WorkloadAvailable"});
  for (const StateRow& row : StateRows()) {
    page.Row({std::string(row.name), Describe(row.when), std::string(ToString(row.state)),
              Print(row.workload_available)});
  }
  page.Text(
      "\n### Ready\n\nReconciling and Stalled are True with the same reason and message, or "
      "absent.\n");
  page.Head({"row", "when", "Ready", "beside it"});
  for (const ReadyRow& row : ReadyRows()) {
    page.Row({std::string(row.name), Describe(row.when), Print(row.ready), Print(row.beside)});
  }
  page.Text("\n### Health and Healthy\n");
  page.Head({"row", "when", "health", "Healthy"});
  for (const HealthRow& row : HealthRows()) {
    page.Row({std::string(row.name), Describe(row.when), std::string(ToString(row.health)),
              Print(row.healthy)});
  }
  const auto simple = [&](std::string_view name, std::span<const ConditionRow> rows) {
    page.Text(fmt::format("\n### {}\n", name));
    page.Head({"row", "when", std::string(name)});
    for (const ConditionRow& row : rows) {
      page.Row({std::string(row.name), Describe(row.when), Print(row.condition)});
    }
  };
  simple("Available", AvailableRows());
  simple("Accepted", AcceptedRows());
  simple("HeartbeatFresh", HeartbeatFreshRows());
  return page.Take();
}

}  // namespace roster::agents
