// An API server in memory: kube::Transport as the real kube-apiserver would answer it, as far as
// Roster uses it. tests/conformance runs one suite on this and on a real server. The rules that are
// known to be left out: RBAC, admission, CEL, field selectors, strategic merge patches, and most of
// the validation of built-in types.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "fakes/action.h"
#include "fakes/api_backend.h"
#include "fakes/fault.h"
#include "kube/transport.h"

namespace roster::fake {

/// How an API server that does not answer does not answer.
enum class Outage {
  kNone,
  kRefuse,     ///< Connections are refused, streams break: kUnavailable at once.
  kBlackHole,  ///< Nothing comes: kTimeout once the request's timeout has passed on the clock.
};

/// Thread-safe. A watch delivers what is due and then ends, as a server ends one, so that a test
/// with one thread can step an informer; HoldWatches makes it last.
class FakeApiServer final : public kube::Transport {
 public:
  /// `clock` outlives the server. It gives the time stamps, and delays and timeouts wait on it.
  explicit FakeApiServer(const Clock& clock);
  ~FakeApiServer() override;

  Result<kube::Response> Send(const kube::Request& request, std::stop_token stop) override;
  Result<StreamResult> Stream(const kube::Request& request, const kube::StreamSink& sink,
                              std::stop_token stop) override;

  // ---- the test's own doors: never logged, never refused for a fault. What the server would
  // refuse throws std::logic_error, because then the test is wrong. ----

  /// Creates the object, or replaces all but its status, as `manager`. A namespaced object without
  /// a namespace goes to "default". Returns what is stored.
  json Put(json object, const std::string& manager = kManager);
  /// Replaces the status of a stored object.
  json PutStatus(const json& object, const std::string& manager = kManager);
  /// Lets `change` edit a stored object in place, its status too.
  json Mutate(const kube::Resource& resource, const api::ObjectKey& key,
              const std::function<void(json&)>& change, const std::string& manager = kManager);
  void Delete(const kube::Resource& resource, const api::ObjectKey& key);
  std::optional<json> Get(const kube::Resource& resource, const api::ObjectKey& key) const;
  /// Of all namespaces if `ns` is empty, sorted by namespace and name.
  std::vector<json> List(const kube::Resource& resource, std::string_view ns = {}) const;
  uint64_t version() const;
  /// Makes another resource known.
  void Register(ResourceType type);

  /// Whatever has lost its last owner goes with it at once (the default), or when
  /// RunGarbageCollector is called.
  void CollectGarbageAtOnce(bool on);
  void RunGarbageCollector();

  // ---- what happened ----

  /// Requests that reached the server and could have changed something, also those it refused; in
  /// order.
  std::vector<Action> Actions() const;
  /// All that reached it.
  std::vector<Action> Requests() const;
  /// Forgets both.
  void ClearActions();

  // ---- what goes wrong ----

  /// The next `n` requests fail; see FaultPlan.
  void FailNext(std::string_view verb, std::string_view resource, int n, Fault fault);
  void ClearFaults();
  void StopAnswering(Outage outage = Outage::kRefuse);
  /// Carries out `n` more requests of those that Actions lists, and then stops: what a client sees
  /// when it dies there.
  void StopAnsweringAfter(int n, Outage outage = Outage::kRefuse);
  void StartAnswering();
  /// Forgets history: older versions are 410 from now on.
  void Compact();
  /// The state, and the counter, of an earlier version: a restored etcd.
  void Rewind(uint64_t version);

  // ---- watches ----

  /// True: watches last until stopped, closed, silent for the request's timeout, or at the end of
  /// their timeoutSeconds.
  void HoldWatches(bool on);
  /// Ends all that are held.
  void CloseWatches();
  /// How many are held right now.
  int held_watches() const;
  /// Sends one bookmark on every watch that asked for them: at once where it is held, else on the
  /// next of each resource.
  void SendBookmarks();
  /// False: the server refuses watch-lists, as up to Kubernetes 1.33 by default.
  void SupportWatchList(bool on);
  /// Bodies of streams come in pieces of that size; 0: line by line.
  void SetPieceSize(size_t bytes);

 private:
  static constexpr const char* kManager = "kubectl";

  struct State;

  /// What a request meets before it is carried out.
  struct Gate {
    std::optional<Error> error;
    std::optional<kube::Response> answer;
    std::optional<Fault> later;  ///< To be applied to the answer.
  };
  Gate Enter(const kube::Request& request, std::stop_token stop);
  Result<kube::Response> Carry(const kube::Request& request, const Gate& gate,
                               std::stop_token stop);
  Result<StreamResult> Watch(const kube::Request& request, const Gate& gate,
                             const kube::StreamSink& sink, std::stop_token stop);
  Error TimedOut(const kube::Request& request, MonoTime deadline, std::stop_token stop) const;

  const Clock& clock_;
  std::unique_ptr<Guarded<State>> state_;
};

}  // namespace roster::fake
