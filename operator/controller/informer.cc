#include "controller/informer.h"

#include <charconv>
#include <utility>

#include "api/json.h"
#include "kube/status_error.h"

namespace roster::controller {

using kube::WatchEvent;
using kube::WatchEventType;
using nlohmann::json;

namespace {

constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";
// A server timeout spread out, so that the watches of many operators do not all break at once.
constexpr std::chrono::seconds kMinWatch{300};
// A stream that ends so soon without a word has failed, whatever its status said.
constexpr std::chrono::seconds kTooShort{1};

std::string VersionOf(const json& object) {
  const json* meta = api::FindMember(object, "metadata");
  return meta ? api::StringOr(*meta, "resourceVersion") : std::string();
}

uint64_t AsNumber(const std::string& version) {
  uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

}  // namespace

struct Informer::WatchOutcome {
  bool initial = false;  ///< Still staging the initial events.
  bool any_event = false;
  std::optional<Error> error;  ///< An ERROR event's.
};

Informer::Informer(kube::Client& client, const Clock& clock, Logger log, Observer& observer,
                   Jitter jitter, Reflection& reflection, RewindFn on_rewind, Options options)
    : client_(client),
      clock_(clock),
      log_(std::move(log)),
      observer_(observer),
      jitter_(jitter),
      reflection_(reflection),
      on_rewind_(std::move(on_rewind)),
      options_(std::move(options)),
      backoff_(options_.backoff, std::move(jitter)) {}

std::string Informer::Describe() const {
  return options_.ns.empty() ? std::string(options_.resource->plural)
                             : std::string(options_.resource->plural) + "/" + options_.ns;
}

std::optional<Error> Informer::last_error() const {
  return *last_error_.Lock();
}

void Informer::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const auto delay = Step(stop);
    if (delay.count() > 0 && !clock_.SleepFor(delay, stop)) return;
  }
}

std::chrono::milliseconds Informer::Step(std::stop_token stop) {
  return listed_ ? StepWatch(stop) : StepInitial(stop);
}

std::chrono::milliseconds Informer::StepInitial(std::stop_token stop) {
  if (watch_list_) {
    auto outcome = Watch(/*initial=*/true, stop);
    if (outcome && !outcome->error && listed_) {
      verify_ = true;
      return std::chrono::milliseconds(0);
    }
    reflection_.Discard();
    const std::optional<Error> error =
        !outcome ? std::optional(outcome.error())
        : outcome->error
            ? outcome->error
            : std::optional(Error{ErrorKind::kUnavailable, "the stream ended before the list did"});
    if (listed_) {  // the list was whole; only the watch behind it broke
      verify_ = true;
      return AfterFailure(*error, "watch");
    }
    // Servers up to 1.33, and those without the WatchList feature, refuse the query itself.
    if (error->kind == ErrorKind::kInvalid) {
      log_.Info("the API server knows no watch-list, listing by pages",
                {{"resource", Describe()}, {"error", error->message}});
      watch_list_ = false;
      return std::chrono::milliseconds(0);
    }
    if (error->kind == ErrorKind::kFutureVersion || error->kind == ErrorKind::kExpired)
      StartOver("");
    return AfterFailure(*error, "list");
  }
  if (Status listed = PagedList(stop); !listed) return AfterFailure(listed.error(), "list");
  AfterSuccess();
  return std::chrono::milliseconds(0);
}

std::chrono::milliseconds Informer::StepWatch(std::stop_token stop) {
  if (verify_) {
    Status verified = Verify(stop);
    if (!verified && verified.error().kind == ErrorKind::kFutureVersion) {
      log_.Warn("the API server's data went back in time, starting over",
                {{"resource", Describe()}, {"version", version_}});
      observer_.WatchRestarted(options_.resource->plural, "rewound");
      if (on_rewind_) on_rewind_();
      StartOver("");
      return std::chrono::milliseconds(0);
    }
    if (!verified) return AfterFailure(verified.error(), "list");
    verify_ = false;
  }
  const MonoTime began = clock_.Mono();
  auto outcome = Watch(/*initial=*/false, stop);
  // Whatever ended the stream, the server behind the next one may be another, or restored from an
  // older snapshot.
  verify_ = true;
  if (stop.stop_requested()) return std::chrono::milliseconds(0);
  if (!outcome) {
    const Error& error = outcome.error();
    if (error.kind == ErrorKind::kExpired) {
      observer_.WatchRestarted(options_.resource->plural, "expired");
      StartOver(version_);
      return std::chrono::milliseconds(0);
    }
    observer_.WatchRestarted(options_.resource->plural,
                             error.kind == ErrorKind::kTimeout ? "silence" : "error");
    return AfterFailure(error, "watch");
  }
  if (outcome->error) {
    const Error& error = *outcome->error;
    observer_.WatchRestarted(options_.resource->plural,
                             error.kind == ErrorKind::kExpired ? "expired" : "server_error");
    if (error.kind == ErrorKind::kExpired) {
      StartOver(version_);
      return std::chrono::milliseconds(0);
    }
    if (error.kind != ErrorKind::kThrottled) StartOver(version_);
    return AfterFailure(error, "watch");
  }
  observer_.WatchRestarted(options_.resource->plural, "ended");
  if (!outcome->any_event && clock_.Mono() - began < kTooShort) {
    return AfterFailure({ErrorKind::kUnavailable, "the watch ended at once, without an event"},
                        "watch");
  }
  AfterSuccess();
  return std::chrono::milliseconds(0);
}

Result<Informer::WatchOutcome> Informer::Watch(bool initial, std::stop_token stop) {
  kube::WatchOptions options;
  options.ns = options_.ns;
  options.label_selector = options_.label_selector;
  options.resource_version = version_;
  options.send_initial_events = initial;
  options.server_timeout = kMinWatch + std::chrono::seconds(static_cast<int64_t>(
                                           jitter_() * static_cast<double>(kMinWatch.count())));
  WatchOutcome outcome;
  outcome.initial = initial;
  const auto ended = client_.Watch(
      *options_.resource, options,
      [&](WatchEvent&& event) {
        outcome.any_event = true;
        OnEvent(std::move(event), outcome);
        return !outcome.error.has_value();
      },
      stop);
  if (!ended) return ended.error();
  return outcome;
}

void Informer::OnEvent(WatchEvent&& event, WatchOutcome& outcome) {
  switch (event.type) {
    case WatchEventType::kError:
      outcome.error = kube::ErrorOfStatus(event.object);
      return;
    case WatchEventType::kBookmark:
      OnBookmark(event.object, outcome);
      return;
    case WatchEventType::kAdded:
    case WatchEventType::kModified:
    case WatchEventType::kDeleted:
      OnObject(std::move(event), outcome);
      return;
  }
}

void Informer::OnBookmark(const json& object, WatchOutcome& outcome) {
  std::string version = VersionOf(object);
  const json* annotations = api::FindMember(object.at("metadata"), "annotations");
  const bool list_ends =
      annotations != nullptr && api::StringOr(*annotations, kInitialEventsEnd) == "true";
  if (outcome.initial && !list_ends) return;
  version_ = std::move(version);
  if (outcome.initial) {
    outcome.initial = false;
    Commit();
    AfterSuccess();
    return;
  }
  reflection_.Bookmark(AsNumber(version_));
  AfterSuccess();
}

void Informer::OnObject(WatchEvent&& event, WatchOutcome& outcome) {
  std::string version = VersionOf(event.object);
  Status taken = outcome.initial ? reflection_.Stage(std::move(event.object))
                                 : reflection_.Apply(event.type, std::move(event.object));
  if (!taken) NoteMalformed(taken.error());
  // A malformed object's event is over all the same: asking for it again would bring it again.
  if (!outcome.initial) {
    version_ = std::move(version);
    AfterSuccess();
  }
}

void Informer::Commit() {
  reflection_.Commit(AsNumber(version_));
  if (std::exchange(ever_listed_, true)) observer_.Relisted(options_.resource->plural);
  listed_ = true;
}

Status Informer::PagedList(std::stop_token stop) {
  // First what the server's cache has; from then on nothing older than what we have seen.
  const bool first = version_.empty();
  Status listed = ListOnce(first ? "0" : version_, stop);
  if (listed || (listed.error().kind != ErrorKind::kExpired &&
                 listed.error().kind != ErrorKind::kFutureVersion)) {
    return listed;
  }
  if (listed.error().kind == ErrorKind::kFutureVersion && on_rewind_) on_rewind_();
  return ListOnce("", stop);
}

Status Informer::ListOnce(const std::string& version, std::stop_token stop) {
  kube::ListOptions options;
  options.ns = options_.ns;
  options.label_selector = options_.label_selector;
  options.resource_version = version;
  if (!version.empty() && version != "0") options.resource_version_match = "NotOlderThan";
  // A list at version 0 is served whole from the server's cache; it ignores a limit.
  options.limit = options_.page_size;
  const auto stage = [this](json&& item) {
    if (Status staged = reflection_.Stage(std::move(item)); !staged) NoteMalformed(staged.error());
  };
  for (;;) {
    auto page = client_.List(*options_.resource, options, stage, stop);
    if (!page) {
      reflection_.Discard();
      // The continue token outlived its snapshot: one list without pages cannot meet that again.
      if (page.error().kind == ErrorKind::kExpired && !options.continue_token.empty()) {
        options.continue_token.clear();
        options.limit = 0;
        continue;
      }
      return page.error();
    }
    if (page->continue_token.empty()) {
      version_ = std::to_string(page->resource_version);
      Commit();
      verify_ = false;
      return Ok();
    }
    options.continue_token = page->continue_token;
    options.resource_version.clear();  // the token stands for it
    options.resource_version_match.clear();
  }
}

Status Informer::Verify(std::stop_token stop) {
  kube::ListOptions options;
  options.ns = options_.ns;
  options.label_selector = options_.label_selector;
  options.resource_version = version_;
  options.resource_version_match = "NotOlderThan";
  options.limit = 1;
  auto page = client_.List(*options_.resource, options, [](json&&) {}, stop);
  if (!page) return page.error();
  return Ok();
}

void Informer::StartOver(std::string version) {
  listed_ = false;
  verify_ = false;
  version_ = std::move(version);
}

std::chrono::milliseconds Informer::AfterFailure(const Error& error, std::string_view what) {
  if (error.kind == ErrorKind::kCancelled) return std::chrono::milliseconds(0);
  auto delay = backoff_.Next();
  if (error.retry_after) delay = std::max<std::chrono::milliseconds>(delay, *error.retry_after);
  log_.Warn("reading from the API server failed, trying again",
            {{"resource", Describe()},
             {"call", what},
             {"error_kind", ToString(error.kind)},
             {"error", error.message},
             {"retry_in_ms", delay.count()}});
  *last_error_.Lock() = error;
  return delay;
}

void Informer::AfterSuccess() {
  if (backoff_.attempts() > 0) {
    log_.Info("reading from the API server works again", {{"resource", Describe()}});
    backoff_.Reset();
  }
  auto last = last_error_.Lock();
  if (*last) last->reset();
}

void Informer::NoteMalformed(const Error& error) {
  observer_.ObjectMalformed(options_.resource->plural);
  log_.Warn("an object cannot be understood and is left out",
            {{"resource", Describe()}, {"error", error.message}});
}

}  // namespace roster::controller
