// Data that can be reached only through its lock, so that every compiler enforces the locking.
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#include "base/clock.h"

namespace roster {

/// Thread-safe. One mutex, one condition.
template <class T>
class Guarded {
 public:
  /// Holds the lock for as long as it lives. Not to be kept.
  class Handle {
   public:
    T* operator->() { return &owner_.value_; }
    T& operator*() { return owner_.value_; }

    /// Lets others in until notified, `deadline`, or `stop`; may return early: loop on the
    /// condition.
    void Wait(const Clock& clock, MonoTime deadline, std::stop_token stop) {
      clock.Wait(owner_.changed_, lock_, deadline, std::move(stop));
    }

   private:
    friend class Guarded;
    explicit Handle(Guarded& owner) : owner_(owner), lock_(owner.mutex_) {}
    Guarded& owner_;
    std::unique_lock<std::mutex> lock_;
  };

  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  [[nodiscard]] Handle Lock() { return Handle(*this); }
  void NotifyOne() { changed_.notify_one(); }
  void NotifyAll() { changed_.notify_all(); }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  T value_;
};

/// Thread-safe. Many readers or one writer.
template <class T>
class SharedGuarded {
 public:
  template <class... Args>
  explicit SharedGuarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  /// Calls `f(const T&)` under the shared lock.
  template <class F>
  auto Read(F&& f) const {
    std::shared_lock lock(mutex_);
    return std::forward<F>(f)(value_);
  }
  /// Calls `f(T&)` under the exclusive lock.
  template <class F>
  auto Write(F&& f) {
    std::unique_lock lock(mutex_);
    return std::forward<F>(f)(value_);
  }

 private:
  mutable std::shared_mutex mutex_;
  T value_;
};

}  // namespace roster
