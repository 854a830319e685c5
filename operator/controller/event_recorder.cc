#include "controller/event_recorder.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"
#include "api/names.h"

namespace roster::controller {
namespace {

using nlohmann::json;

constexpr size_t kMaxNote = 1024;  // the server's own limit
constexpr size_t kMaxBuckets = 10'000;
constexpr size_t kMaxSeries = 10'000;
constexpr std::string_view kReportingController = "agentroster.dev/roster";

std::string CutNote(std::string note) {
  if (note.size() <= kMaxNote) return note;
  size_t end = kMaxNote - 3;
  while (end > 0 && (static_cast<unsigned char>(note[end]) & 0xc0U) == 0x80U) --end;
  note.resize(end);
  return note + "...";
}

}  // namespace

EventRecorder::EventRecorder(kube::Client& client, const Clock& clock, Logger log,
                             Observer& observer, Options options)
    : client_(client),
      clock_(clock),
      log_(std::move(log)),
      observer_(observer),
      options_(std::move(options)) {}

bool EventRecorder::TakeToken(Queue& queue, const std::string& uid) {
  const MonoTime now = clock_.Mono();
  // Full buckets say nothing; when there are too many, they go.
  if (queue.buckets.size() > kMaxBuckets) {
    std::erase_if(queue.buckets, [&](const auto& entry) {
      return now - entry.second.filled > options_.refill * static_cast<int>(options_.burst);
    });
  }
  auto [it, added] = queue.buckets.try_emplace(uid, Bucket{options_.burst, now});
  Bucket& bucket = it->second;
  const double earned = std::chrono::duration<double>(now - bucket.filled) /
                        std::chrono::duration<double>(options_.refill);
  bucket.tokens = std::min(options_.burst, bucket.tokens + earned);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void EventRecorder::Record(const api::Agent& agent, EventText text) {
  {
    auto queue = queue_.Lock();
    if (queue->items.size() < options_.queue_size && TakeToken(*queue, agent.meta.uid)) {
      queue->items.push_back({agent.meta.key(), agent.meta.uid, std::move(text), clock_.Wall()});
      queue_.NotifyOne();
      return;
    }
  }
  observer_.EventDropped();
}

void EventRecorder::Run(std::stop_token stop, std::stop_token hard_stop) {
  while (!stop.stop_requested()) {
    {
      auto queue = queue_.Lock();
      while (queue->items.empty() && !stop.stop_requested())
        queue.Wait(clock_, MonoTime::max(), stop);
    }
    Flush(hard_stop);
  }
  Flush(hard_stop);
}

void EventRecorder::Flush(std::stop_token stop) {
  for (;;) {
    Item item;
    {
      auto queue = queue_.Lock();
      if (queue->items.empty() || stop.stop_requested()) return;
      item = std::move(queue->items.front());
      queue->items.pop_front();
    }
    Write(item, stop);
  }
}

void EventRecorder::Write(const Item& item, std::stop_token stop) {
  ForgetOldSeries();
  const std::string key = fmt::format("{}\n{}\n{}\n{}", item.agent_uid, item.text.warning,
                                      item.text.reason, item.text.note);
  const auto known = series_.find(key);
  if (known != series_.end()) {
    Series& series = known->second;
    const json patch{
        {"series",
         {{"count", series.count + 1}, {"lastObservedTime", FormatMicroTime(item.time)}}}};
    const auto patched =
        client_.MergePatch(kube::kEvents, {item.agent.ns, series.name}, "", patch, stop);
    if (patched) {
      ++series.count;
      series.last = clock_.Mono();
      return;
    }
    series_.erase(known);  // expired on the server: begin a new one
    if (patched.error().kind != ErrorKind::kNotFound) {
      observer_.EventDropped();
      return;
    }
  }
  if (const Status created = Create(item, key, stop); !created) {
    observer_.EventDropped();
    log_.Warn("an Event could not be written", {{"namespace", item.agent.ns},
                                                {"agent", item.agent.name},
                                                {"reason", item.text.reason},
                                                {"error", created.error().message}});
  }
}

Status EventRecorder::Create(const Item& item, const std::string& series_key,
                             std::stop_token stop) {
  // Unique over processes: two replicas, or one after a restart, never choose the same name.
  const uint64_t unique = api::StableHash(
      options_.instance + series_key, static_cast<uint64_t>(item.time.time_since_epoch().count()));
  const std::string name = fmt::format("{}.{:016x}", item.agent.name, unique + written_++);
  const json event{{"apiVersion", kube::kEvents.ApiVersion()},
                   {"kind", kube::kEvents.kind},
                   {"metadata", {{"name", name}, {"namespace", item.agent.ns}}},
                   {"eventTime", FormatMicroTime(item.time)},
                   {"reportingController", kReportingController},
                   {"reportingInstance", options_.instance},
                   {"action", item.text.action},
                   {"reason", item.text.reason},
                   {"type", item.text.warning ? "Warning" : "Normal"},
                   {"note", CutNote(item.text.note)},
                   {"regarding",
                    {{"apiVersion", api::kApiVersion},
                     {"kind", api::kAgentKind},
                     {"namespace", item.agent.ns},
                     {"name", item.agent.name},
                     {"uid", item.agent_uid}}}};
  const auto created = client_.Create(kube::kEvents, item.agent.ns, event, stop);
  if (!created) return created.error();
  series_[series_key] = {name, 1, clock_.Mono()};
  return Ok();
}

void EventRecorder::ForgetOldSeries() {
  if (series_.empty()) return;
  const MonoTime now = clock_.Mono();
  std::erase_if(
      series_, [&](const auto& entry) { return now - entry.second.last > options_.series_window; });
  if (series_.size() > kMaxSeries) series_.clear();
}

}  // namespace roster::controller
