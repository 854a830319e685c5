#include "controller/work_queue.h"

#include <algorithm>

namespace roster::controller {

WorkQueue::WorkQueue(const Clock& clock, Observer& observer, Options options)
    : clock_(clock), observer_(observer), options_(options) {}

std::pair<MonoTime, uint64_t> WorkQueue::OrderOf(const Waiting& waiting) const {
  const auto handicap =
      waiting.priority == Priority::kBackground ? options_.head_start : MonoClock::duration::zero();
  return {waiting.since + handicap, waiting.sequence};
}

void WorkQueue::Enqueue(State& state, const Key& key, Priority priority) {
  if (const auto busy = state.processing.find(key); busy != state.processing.end()) {
    const auto [dirty, added] = state.dirty.emplace(key, priority);
    if (added) observer_.QueueAdded();
    if (priority == Priority::kFresh) dirty->second = priority;
    return;
  }
  if (const auto it = state.queued.find(key); it != state.queued.end()) {
    // A fresh change of a key that waits in the background moves it up; its place in line is kept.
    if (it->second.priority == Priority::kBackground && priority == Priority::kFresh) {
      state.ready.erase(OrderOf(it->second));
      it->second.priority = priority;
      state.ready.emplace(OrderOf(it->second), key);
    }
    return;
  }
  const Waiting waiting{clock_.Mono(), priority, state.sequence++};
  state.queued.emplace(key, waiting);
  state.ready.emplace(OrderOf(waiting), key);
  observer_.QueueAdded();
  state_.NotifyOne();
}

void WorkQueue::Add(const Key& key, Priority priority) {
  auto state = state_.Lock();
  Enqueue(*state, key, priority);
}

void WorkQueue::AddAfter(const Key& key, MonoClock::duration delay) {
  auto state = state_.Lock();
  const MonoTime due = clock_.Mono() + std::max(delay, MonoClock::duration::zero());
  const auto [it, added] = state->delayed.emplace(key, due);
  if (!added) {
    if (it->second <= due) return;
    state->due.erase({it->second, key});
    it->second = due;
  }
  state->due.emplace(due, key);
  state_.NotifyOne();  // the sleeper's deadline may have moved
}

std::chrono::milliseconds WorkQueue::AddBackoff(const Key& key) {
  std::chrono::milliseconds delay{0};
  {
    auto state = state_.Lock();
    uint32_t& failures = state->failures[key];
    delay = ExponentialDelay(options_.backoff, failures);
    if (failures < 64) ++failures;
  }
  observer_.QueueRetried();
  AddAfter(key, delay);
  return delay;
}

void WorkQueue::Forget(const Key& key) {
  state_.Lock()->failures.erase(key);
}

void WorkQueue::PromoteDue(State& state) {
  const MonoTime now = clock_.Mono();
  while (!state.due.empty() && state.due.begin()->first <= now) {
    const Key key = state.due.begin()->second;
    state.due.erase(state.due.begin());
    state.delayed.erase(key);
    Enqueue(state, key, Priority::kFresh);
  }
}

std::optional<WorkQueue::Key> WorkQueue::Take(State& state) {
  PromoteDue(state);
  if (state.ready.empty()) return std::nullopt;
  const auto first = state.ready.begin();
  Key key = first->second;
  state.ready.erase(first);
  const MonoTime now = clock_.Mono();
  const auto queued = state.queued.find(key);
  observer_.QueueWaited(now - queued->second.since);
  state.queued.erase(queued);
  state.processing.emplace(key, now);
  return key;
}

std::optional<WorkQueue::Key> WorkQueue::TryPop() {
  return Take(*state_.Lock());
}

std::optional<WorkQueue::Key> WorkQueue::Pop(std::stop_token stop) {
  auto state = state_.Lock();
  while (!stop.stop_requested()) {
    if (auto key = Take(*state)) {
      // Promotion may have readied more keys than notifications were sent for.
      if (!state->ready.empty()) state_.NotifyOne();
      return key;
    }
    const MonoTime deadline = state->due.empty() ? MonoTime::max() : state->due.begin()->first;
    state.Wait(clock_, deadline, stop);
  }
  return std::nullopt;
}

void WorkQueue::Done(const Key& key) {
  auto state = state_.Lock();
  const auto it = state->processing.find(key);
  if (it == state->processing.end()) return;
  observer_.QueueWorked(clock_.Mono() - it->second);
  state->processing.erase(it);
  if (const auto dirty = state->dirty.find(key); dirty != state->dirty.end()) {
    const Priority priority = dirty->second;
    state->dirty.erase(dirty);
    const Waiting waiting{clock_.Mono(), priority, state->sequence++};
    state->queued.emplace(key, waiting);
    state->ready.emplace(OrderOf(waiting), key);
    state_.NotifyOne();
  }
}

WorkQueue::Stats WorkQueue::stats() {
  auto state = state_.Lock();
  Stats stats{state->ready.size(), state->delayed.size(), state->processing.size(), {}, {}};
  const MonoTime now = clock_.Mono();
  for (const auto& [key, since] : state->processing) {
    stats.unfinished += now - since;
    stats.longest_running = std::max(stats.longest_running, now - since);
  }
  return stats;
}

MonoTime WorkQueue::NextDue() {
  auto state = state_.Lock();
  return state->due.empty() ? MonoTime::max() : state->due.begin()->first;
}

}  // namespace roster::controller
