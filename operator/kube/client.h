// The Kubernetes API as calls: paths, queries, content types, and the server's Status objects
// turned into Errors.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "api/meta.h"
#include "kube/resource.h"
#include "kube/transport.h"

namespace roster::kube {

using nlohmann::json;

struct ListOptions {
  std::string ns;  ///< Empty: all namespaces.
  std::string label_selector;
  std::string resource_version;        ///< "", "0", or a version.
  std::string resource_version_match;  ///< "", "NotOlderThan", "Exact".
  std::string continue_token;
  int limit = 0;  ///< 0: no limit.
  /// A whole list may be hundreds of megabytes (a server may ignore `limit` when resource_version
  /// is "0").
  std::chrono::milliseconds timeout{60'000};
};

/// What a LIST page says besides its items.
struct ListPage {
  uint64_t resource_version = 0;
  std::string continue_token;  ///< Empty on the last page.
};

struct WatchOptions {
  std::string ns;
  std::string label_selector;
  std::string resource_version;
  bool send_initial_events =
      false;  ///< Watch-list: the initial state as ADDED events, then a marked BOOKMARK.
  std::chrono::seconds server_timeout{300};
  std::chrono::milliseconds silence_timeout{90'000};
};

enum class WatchEventType { kAdded, kModified, kDeleted, kBookmark, kError };

struct WatchEvent {
  WatchEventType type;
  json object;
};

/// Called for each item of a list as it is decoded; the item is dropped afterwards.
using ItemSink = std::function<void(json&& item)>;
/// Called for each event of a watch. Returns false to end the watch.
using EventSink = std::function<bool(WatchEvent&& event)>;

/// What each finished request was, for metrics. Called on the calling thread; must be quick and
/// thread-safe.
struct RequestObservation {
  /// GET, LIST, WATCH (reported when it ends), POST, APPLY, PATCH, PUT or DELETE.
  std::string_view method;
  int code;  ///< HTTP status, 0 if there was no answer.
  std::chrono::nanoseconds duration;
};
using RequestObserver = std::function<void(const RequestObservation&)>;

/// Thread-safe. All calls block; `stop` cancels them (kCancelled). Errors are those of Transport,
/// and the server's Status as an ErrorKind with its message verbatim. Source: metav1.Status.
class Client {
 public:
  explicit Client(Transport& transport, RequestObserver observer = nullptr)
      : transport_(transport), observer_(std::move(observer)) {}

  Result<json> Get(const Resource& resource, const api::ObjectKey& key, std::stop_token stop);

  /// One page. `sink` gets every item in order; no DOM of the whole page is ever held. After
  /// kMalformed the sink has had the items before the broken place.
  Result<ListPage> List(const Resource& resource, const ListOptions& options, const ItemSink& sink,
                        std::stop_token stop);

  /// Runs until the stream ends. ERROR events reach the sink as they are. Returns false if the sink
  /// ended it, true if the server did. Errors besides the usual: kTimeout after `silence_timeout`
  /// without a byte; kMalformed for a line that is no event; kUnavailable if the stream broke off
  /// within one.
  Result<bool> Watch(const Resource& resource, const WatchOptions& options, const EventSink& sink,
                     std::stop_token stop);

  /// POST with fieldManager=roster; never overwrites (kAlreadyExists). Returns the object as
  /// stored.
  Result<json> Create(const Resource& resource, const std::string& ns, const json& object,
                      std::stop_token stop);

  /// Server-side apply with fieldManager=roster&force=true. `object` is the complete intent; with
  /// metadata.uid and metadata.resourceVersion in it nothing deleted is re-created (kConflict
  /// instead).
  Result<json> Apply(const Resource& resource, const api::ObjectKey& key, const json& object,
                     std::stop_token stop);

  /// RFC 7386. Put metadata.resourceVersion into `patch` to be refused (kConflict) when somebody
  /// wrote in between.
  Result<json> MergePatch(const Resource& resource, const api::ObjectKey& key,
                          std::string_view subresource, const json& patch, std::stop_token stop);

  /// RFC 6902.
  Result<json> JsonPatch(const Resource& resource, const api::ObjectKey& key,
                         const json& operations, std::stop_token stop);

  /// PUT; the object carries its resourceVersion.
  Result<json> Replace(const Resource& resource, const api::ObjectKey& key, const json& object,
                       std::stop_token stop);

  struct DeleteOptions {
    std::string uid;               ///< Precondition; empty: none.
    std::string resource_version;  ///< Precondition; empty: none.
    std::string propagation = "Background";
  };
  Status Delete(const Resource& resource, const api::ObjectKey& key, const DeleteOptions& options,
                std::stop_token stop);

  /// The server's version, from /version: also the cheapest proof that it answers and knows us.
  Result<std::string> ServerVersion(std::stop_token stop);

 private:
  /// Sends, observes as `method`, and turns every status but 2xx into an Error.
  Result<Response> Call(std::string_view method, const Request& request, std::stop_token stop);
  Result<json> CallForObject(std::string_view method, const Request& request, std::stop_token stop);
  void Observe(std::string_view method, int code,
               std::chrono::steady_clock::time_point begin) const;

  Transport& transport_;
  RequestObserver observer_;
};

}  // namespace roster::kube
