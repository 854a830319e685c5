// Threads that are started and stopped together.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/guarded.h"

namespace roster::app {

/// Start, RequestStop and the destructor belong to one thread at a time; the rest is thread-safe.
class ThreadGroup {
 public:
  /// `on_end` is called on each thread after its body has returned. `on_crash` is called before it
  /// if the body threw, or returned although nobody had asked it to, with what happened; both are
  /// thread-safe.
  struct Callbacks {
    std::function<void()> on_end;
    std::function<void(const std::string& thread, const std::string& what)> on_crash;
  };
  /// `may_end`: bodies may return unasked.
  explicit ThreadGroup(Callbacks callbacks, bool may_end = false)
      : callbacks_(std::move(callbacks)), may_end_(may_end) {}
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  void Start(const std::string& name, std::function<void(std::stop_token)> body);
  void RequestStop();

  /// Names of threads whose bodies have not returned.
  std::vector<std::string> Running();

 private:
  void Run(const std::string& name, const std::function<void(std::stop_token)>& body,
           const std::stop_token& stop);

  const Callbacks callbacks_;
  const bool may_end_;
  Guarded<std::multiset<std::string>> running_;
  std::vector<std::jthread> threads_;  // the last member: joined before what they use goes
};

}  // namespace roster::app
