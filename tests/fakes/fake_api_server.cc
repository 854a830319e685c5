#include "fakes/fake_api_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "fakes/api_handler.h"
#include "fakes/api_reader.h"
#include "fakes/api_request.h"
#include "fakes/fake_api_server_state.h"

namespace roster::fake {
namespace {

Error Refused() {
  return {ErrorKind::kUnavailable, "connect: connection refused"};
}
Error Broken() {
  return {ErrorKind::kUnavailable, "connection reset by peer"};
}

// Handing out a piece: kUnavailable once `left` bytes are spent.
class Pieces {
 public:
  Pieces(const kube::StreamSink& sink, size_t size, std::optional<size_t> left)
      : sink_(sink), size_(size), left_(left) {}

  enum class End { kGoOn, kBySink, kCut };
  End Deliver(std::string_view text) {
    const bool cut = left_ && text.size() >= *left_;
    if (cut) text = text.substr(0, *left_);
    if (left_) *left_ -= text.size();
    while (!text.empty()) {
      const size_t length = size_ == 0 ? text.size() : std::min(size_, text.size());
      if (!sink_(text.substr(0, length))) return End::kBySink;
      text.remove_prefix(length);
    }
    return cut ? End::kCut : End::kGoOn;
  }

 private:
  const kube::StreamSink& sink_;
  size_t size_;
  std::optional<size_t> left_;
};

}  // namespace

FakeApiServer::FakeApiServer(const Clock& clock)
    : clock_(clock), state_(std::make_unique<Guarded<State>>(clock)) {}
FakeApiServer::~FakeApiServer() = default;

Result<kube::Response> FakeApiServer::Send(const kube::Request& request, std::stop_token stop) {
  Gate gate = Enter(request, stop);
  if (gate.error) return *gate.error;
  if (gate.answer) return *gate.answer;
  const auto parsed = ParseApiRequest(request, state_->Lock()->backend.types());
  if (!parsed || parsed->verb != "watch") return Carry(request, gate, stop);
  // A watch that somebody waits for to end.
  std::string body;
  const auto append = [&](std::string_view piece) {
    body += piece;
    return true;
  };
  const auto watched = Watch(request, gate, append, stop);
  if (!watched) return watched.error();
  if (watched->refusal) return *watched->refusal;
  kube::Response response;
  response.status = 200;
  response.body = std::move(body);
  return response;
}

FakeApiServer::Gate FakeApiServer::Enter(const kube::Request& request, std::stop_token stop) {
  Gate gate;
  const MonoTime deadline = clock_.Mono() + request.timeout;
  if (stop.stop_requested()) {
    gate.error = Error{ErrorKind::kCancelled, "cancelled"};
    return gate;
  }
  Outage outage;
  {
    auto state = state_->Lock();
    outage = state->outage;
    const auto parsed = ParseApiRequest(request, state->backend.types());
    const std::string verb = parsed ? parsed->verb : "";
    const std::string resource = parsed ? parsed->type->plural : "";
    if (outage == Outage::kNone) gate.later = state->faults.Take(verb, resource);
    const bool seen =
        outage == Outage::kNone && !(gate.later && gate.later->kind == Fault::Kind::kDropBefore);
    if (parsed && seen) {
      const std::string name = verb == "create" ? NameInBody(request) : parsed->key.name;
      state->requests.push_back({verb, resource, parsed->key.ns, name, parsed->subresource});
    }
  }
  if (outage == Outage::kRefuse) gate.error = Refused();
  if (outage == Outage::kBlackHole) gate.error = TimedOut(request, deadline, stop);
  if (!gate.later) return gate;
  if (gate.later->kind == Fault::Kind::kDropBefore) gate.error = Broken();
  if (gate.later->kind == Fault::Kind::kAnswer) {
    gate.answer = gate.later->failure.ToResponse();
    if (gate.later->retry_after) gate.answer->retry_after = gate.later->retry_after;
    const auto parsed = ParseApiRequest(request, state_->Lock()->backend.types());
    if (parsed && IsMutating(parsed->verb)) state_->Lock()->CountMutation();
  }
  return gate;
}

Error FakeApiServer::TimedOut(const kube::Request& request, MonoTime deadline,
                              std::stop_token stop) const {
  if (!clock_.SleepUntil(deadline, stop)) return {ErrorKind::kCancelled, "cancelled"};
  return {ErrorKind::kTimeout, fmt::format("no answer within {} ms", request.timeout.count())};
}

Result<kube::Response> FakeApiServer::Carry(const kube::Request& request, const Gate& gate,
                                            std::stop_token stop) {
  const MonoTime deadline = clock_.Mono() + request.timeout;
  kube::Response response;
  {
    auto state = state_->Lock();
    const auto parsed = ParseApiRequest(request, state->backend.types());
    response = HandleRequest(request, parsed, state->backend);
    if (parsed && IsMutating(parsed->verb)) {
      if (state->garbage_at_once) state->backend.CollectGarbageIfAny();
      state->CountMutation();
    }
  }
  state_->NotifyAll();
  if (!gate.later) return response;
  switch (gate.later->kind) {
    case Fault::Kind::kDropAfter:
      return Broken();
    case Fault::Kind::kMalformedBody:
      response.body.resize(response.body.size() / 2);
      break;
    case Fault::Kind::kDelay: {
      const MonoTime answered = clock_.Mono() + gate.later->delay;
      if (answered > deadline) return TimedOut(request, deadline, stop);
      if (!clock_.SleepUntil(answered, stop)) return Error{ErrorKind::kCancelled, "cancelled"};
      break;
    }
    default:
      break;
  }
  return response;
}

Result<kube::Transport::StreamResult> FakeApiServer::Stream(const kube::Request& request,
                                                            const kube::StreamSink& sink,
                                                            std::stop_token stop) {
  Gate gate = Enter(request, stop);
  if (gate.error) return *gate.error;
  if (gate.answer) return StreamResult{*gate.answer, {}};
  const auto parsed = ParseApiRequest(request, state_->Lock()->backend.types());
  if (parsed && parsed->verb == "watch") return Watch(request, gate, sink, stop);

  auto response = Carry(request, gate, stop);
  if (!response) return response.error();
  if (response->status != 200) return StreamResult{*response, {}};
  const bool cut = gate.later && gate.later->kind == Fault::Kind::kCutStream;
  Pieces pieces(sink, state_->Lock()->piece_size,
                cut ? std::optional(gate.later->bytes) : std::nullopt);
  const auto end = pieces.Deliver(response->body);
  if (end == Pieces::End::kCut) return Broken();
  return StreamResult{std::nullopt, {end == Pieces::End::kGoOn}};
}

Result<kube::Transport::StreamResult> FakeApiServer::Watch(const kube::Request& request,
                                                           const Gate& gate,
                                                           const kube::StreamSink& sink,
                                                           std::stop_token stop) {
  const auto fault = gate.later ? std::optional(gate.later->kind) : std::nullopt;
  if (fault == Fault::Kind::kDropAfter) return Broken();
  if (fault == Fault::Kind::kDelay && !clock_.SleepFor(gate.later->delay, stop)) {
    return Error{ErrorKind::kCancelled, "cancelled"};
  }
  MonoTime server_end = MonoTime::max();
  uint64_t closings = 0;
  uint64_t bookmarks = 0;
  size_t piece_size = 0;
  std::string resource;
  std::optional<WatchCursor> cursor;
  {
    auto state = state_->Lock();
    const auto parsed = ParseApiRequest(request, state->backend.types());
    auto started = WatchCursor::Start(*parsed, state->watch_list);
    if (auto* failure = std::get_if<Failure>(&started))
      return StreamResult{failure->ToResponse(), {}};
    cursor = std::get<WatchCursor>(std::move(started));
    closings = state->closings;
    piece_size = state->piece_size;
    resource = ApiBackend::StorageName(*parsed->type);
    bookmarks = state->hold ? state->bookmarks : state->bookmarks_sent[resource];
    const std::string seconds = parsed->Query("timeoutSeconds");
    int64_t value = 0;
    std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
    if (value > 0) server_end = clock_.Mono() + std::chrono::seconds(value);
  }
  Pieces pieces(sink, piece_size,
                fault == Fault::Kind::kCutStream ? std::optional(gate.later->bytes) : std::nullopt);
  if (fault == Fault::Kind::kMalformedBody) pieces.Deliver("this is no event\n");

  MonoTime silent_until = clock_.Mono() + request.timeout;
  while (true) {
    std::vector<std::string> lines;
    {
      auto state = state_->Lock();
      if (state->outage == Outage::kRefuse) return Broken();
      const bool answering = state->outage == Outage::kNone;
      if (answering && !cursor->ended()) {
        lines = cursor->Next(state->backend.store());
        if (std::exchange(bookmarks, state->bookmarks) != state->bookmarks) {
          state->bookmarks_sent[resource] = state->bookmarks;
          if (std::string line = cursor->Bookmark(state->backend.store()); !line.empty())
            lines.push_back(std::move(line));
        }
      }
      if (lines.empty()) {
        const MonoTime now = clock_.Mono();
        if (stop.stop_requested()) return Error{ErrorKind::kCancelled, "cancelled"};
        if (answering &&
            (cursor->ended() || !state->hold || state->closings != closings || now >= server_end)) {
          return StreamResult{std::nullopt, {true}};
        }
        if (now >= silent_until) {
          return Error{ErrorKind::kTimeout,
                       fmt::format("nothing came for {} ms", request.timeout.count())};
        }
        ++state->held;
        state.Wait(clock_, answering ? std::min(silent_until, server_end) : silent_until, stop);
        --state->held;
        continue;
      }
    }
    // Without the lock: the sink may call us.
    for (const std::string& line : lines) {
      switch (pieces.Deliver(line + "\n")) {
        case Pieces::End::kBySink:
          return StreamResult{std::nullopt, {false}};
        case Pieces::End::kCut:
          return Broken();
        case Pieces::End::kGoOn:
          break;
      }
    }
    silent_until = clock_.Mono() + request.timeout;
  }
}

}  // namespace roster::fake
