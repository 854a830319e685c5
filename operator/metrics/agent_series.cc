#include "metrics/agent_series.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <tuple>

#include "metrics/text_format.h"

namespace roster::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view OrNone(std::string_view text) {
  return text.empty() ? kNone : text;
}

bool Older(const store::AgentStore::Ptr& a, const store::AgentStore::Ptr& b) {
  return std::tie(a->meta.creation_time, a->meta.ns, a->meta.name) <
         std::tie(b->meta.creation_time, b->meta.ns, b->meta.name);
}

bool NamedBefore(const store::AgentStore::Ptr& a, const store::AgentStore::Ptr& b) {
  return std::tie(a->meta.ns, a->meta.name) < std::tie(b->meta.ns, b->meta.name);
}

}  // namespace

MetricFamily AgentSeries::Counts(const store::AgentStore& agents, Dropped& dropped) {
  const std::map<std::string, size_t> counts = agents.Counts(store::kByMetricLabels);
  using Labels = std::array<std::string_view, 4>;  // namespace, type, state, health
  std::vector<std::pair<Labels, size_t>> rows;
  std::set<std::string_view> namespaces;
  std::set<std::string_view> types;
  for (const auto& [joined, count] : counts) {
    const std::vector<std::string_view> parts = store::SplitParts(joined);
    if (parts.size() != std::tuple_size_v<Labels>) continue;
    rows.push_back({{parts[0], parts[1], parts[2], parts[3]}, count});
    namespaces.insert(parts[0]);
    types.insert(parts[1]);
  }
  dropped.namespaces += namespaces_.Update(namespaces);
  dropped.types += types_.Update(types);

  std::map<Labels, size_t> sums;
  for (const auto& [labels, count] : rows) {
    sums[{namespaces_.LabelFor(labels[0]), types_.LabelFor(labels[1]), OrNone(labels[2]),
          OrNone(labels[3])}] += count;
  }
  MetricFamily family{"roster_agents",
                      "Agents that exist, by namespace, type, state and health.",
                      MetricType::Gauge,
                      {}};
  family.metric.reserve(sums.size());
  for (const auto& [labels, sum] : sums) {
    ClientMetric sample;
    sample.label = {{"namespace", std::string(labels[0])},
                    {"type", std::string(labels[1])},
                    {"state", std::string(labels[2])},
                    {"health", std::string(labels[3])}};
    sample.gauge.value = static_cast<double>(sum);
    family.metric.push_back(std::move(sample));
  }
  return family;
}

void AgentSeries::AppendEach(const store::AgentStore& agents, std::string& out,
                             Dropped& dropped) const {
  if (limits_.agents == 0) {
    dropped.agents += agents.size();
    return;
  }
  std::vector<store::AgentStore::Ptr> page = agents.All();
  if (page.size() > limits_.agents) {
    dropped.agents += page.size() - limits_.agents;
    // The oldest stay, so that a new Agent never turns another one's series off.
    const auto end = page.begin() + static_cast<ptrdiff_t>(limits_.agents);
    std::nth_element(page.begin(), end, page.end(), Older);
    page.erase(end, page.end());
  }
  std::sort(page.begin(), page.end(), NamedBefore);

  GaugeWriter info(out, "roster_agent_info", "What each Agent is; always 1.");
  for (const auto& agent : page) {
    info.Sample({{"namespace", agent->meta.ns},
                 {"name", agent->meta.name},
                 {"agent_id", agent->EffectiveId()},
                 {"type", agent->spec.type},
                 {"kind", agent->spec.workload ? "workload" : "endpoint"},
                 {"desired_state", ToString(agent->spec.desired_state)},
                 {"resident", agent->spec.resident ? "true" : "false"}},
                1);
  }
  GaugeWriter state(out, "roster_agent_state",
                    "The state that each Agent is in; 1, with the state as a label.");
  for (const auto& agent : page) {
    state.Sample({{"namespace", agent->meta.ns},
                  {"name", agent->meta.name},
                  {"state", OrNone(ToString(agent->status.state))}},
                 1);
  }
  GaugeWriter healthy(out, "roster_agent_healthy",
                      "1 if the verdict on the Agent's health is Healthy, else 0.");
  for (const auto& agent : page) {
    healthy.Sample({{"namespace", agent->meta.ns}, {"name", agent->meta.name}},
                   agent->status.health == api::Health::kHealthy ? 1 : 0);
  }
  GaugeWriter heartbeat(
      out, "roster_agent_last_heartbeat_timestamp_seconds",
      "When the Agent was last heard of, in seconds since unix epoch, as its status says.");
  for (const auto& agent : page) {
    if (!agent->status.last_heartbeat_time) continue;
    const auto since_epoch = agent->status.last_heartbeat_time->time_since_epoch();
    heartbeat.Sample({{"namespace", agent->meta.ns}, {"name", agent->meta.name}},
                     std::chrono::duration<double>(since_epoch).count());
  }
}

}  // namespace roster::metrics
