// Keeps a Store equal to one resource of the API server, through every kind of break: watch-list
// first, paged LIST where the server knows no watch-list, resumption at the last version seen.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "controller/observer.h"
#include "controller/reflection.h"
#include "kube/client.h"

namespace roster::controller {

/// Step and Run are confined to one thread, the informer's; last_error is thread-safe.
class Informer {
 public:
  struct Options {
    const kube::Resource* resource = nullptr;
    std::string ns;  ///< Empty: all namespaces.
    std::string label_selector;
    int page_size = 500;
    Backoff::Policy backoff{};  ///< Between failing lists and watches.
  };

  /// Called when the server's data proves to have gone back in time.
  using RewindFn = std::function<void()>;

  Informer(kube::Client& client, const Clock& clock, Logger log, Observer& observer, Jitter jitter,
           Reflection& reflection, RewindFn on_rewind, Options options);

  /// Lists and watches until `stop`.
  void Run(std::stop_token stop);

  /// One list, or one watch until it ends. Returns how long to wait before the next step; zero
  /// after a success.
  std::chrono::milliseconds Step(std::stop_token stop);

  /// The last list or watch error; nullopt once a later one has succeeded.
  std::optional<Error> last_error() const;
  const Options& options() const { return options_; }

 private:
  struct WatchOutcome;

  Result<WatchOutcome> Watch(bool initial, std::stop_token stop);
  void OnEvent(kube::WatchEvent&& event, WatchOutcome& outcome);
  void OnObject(kube::WatchEvent&& event, WatchOutcome& outcome);
  void OnBookmark(const nlohmann::json& object, WatchOutcome& outcome);
  Status PagedList(std::stop_token stop);
  Status ListOnce(const std::string& version, std::stop_token stop);
  Status Verify(std::stop_token stop);
  void Commit();
  std::chrono::milliseconds StepInitial(std::stop_token stop);
  std::chrono::milliseconds StepWatch(std::stop_token stop);
  std::chrono::milliseconds AfterFailure(const Error& error, std::string_view what);
  void AfterSuccess();
  void StartOver(std::string version);
  void NoteMalformed(const Error& error);
  std::string Describe() const;

  kube::Client& client_;
  const Clock& clock_;
  Logger log_;
  Observer& observer_;
  Jitter jitter_;
  Reflection& reflection_;
  RewindFn on_rewind_;
  const Options options_;

  Backoff backoff_;
  bool watch_list_ = true;  ///< Until the server refuses it.
  bool ever_listed_ = false;
  bool listed_ = false;  ///< The store holds a whole list; false asks for a new one.
  bool verify_ = false;  ///< The stream broke: prove that the server still knows our version.
  std::string version_;  ///< To resume at, or to list not older than; empty for the newest.
  mutable Guarded<std::optional<Error>> last_error_;
};

}  // namespace roster::controller
