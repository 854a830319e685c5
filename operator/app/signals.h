// What the main thread waits for: a signal, or somebody in the process who has something to say.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"

namespace roster::app {

/// Wake is thread-safe; Wait belongs to the main thread.
class Signals {
 public:
  virtual ~Signals() = default;

  /// Waits until a signal comes, Wake is called, or `deadline`. Returns the signal's number, or 0.
  /// A Wake that nobody waited for ends the next Wait.
  virtual int Wait(MonoTime deadline) = 0;
  virtual void Wake() = 0;
};

/// Takes SIGTERM and SIGINT from now on. To be called before any other thread is made: threads
/// inherit that they do not get these signals. Errors: kUnavailable, with what the kernel says.
Result<std::unique_ptr<Signals>> TakeSignals(const Clock& clock);

/// "SIGTERM".
std::string_view SignalName(int signal);

}  // namespace roster::app
