#include "app/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <system_error>

namespace roster::app {
namespace {

class SignalFd final : public Signals {
 public:
  SignalFd(const Clock& clock, int signals, int wakes)
      : clock_(clock), signals_(signals), wakes_(wakes) {}
  ~SignalFd() override {
    close(signals_);
    close(wakes_);
  }

  int Wait(MonoTime deadline) override {
    for (;;) {
      std::array<pollfd, 2> fds{{{signals_, POLLIN, 0}, {wakes_, POLLIN, 0}}};
      const int ready = poll(fds.data(), fds.size(), MillisUntil(deadline));
      if (ready < 0 && errno == EINTR) continue;
      if (fds[0].revents != 0) {
        signalfd_siginfo info{};
        if (read(signals_, &info, sizeof info) == sizeof info)
          return static_cast<int>(info.ssi_signo);
      }
      if (fds[1].revents != 0) {
        uint64_t count = 0;
        if (read(wakes_, &count, sizeof count) == sizeof count) return 0;
      }
      if (deadline != MonoTime::max() && clock_.Mono() >= deadline) return 0;
    }
  }

  void Wake() override {
    const uint64_t one = 1;
    // The counter cannot overflow in a lifetime, and nothing else can fail.
    [[maybe_unused]] const ssize_t written = write(wakes_, &one, sizeof one);
  }

 private:
  int MillisUntil(MonoTime deadline) const {
    if (deadline == MonoTime::max()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - clock_.Mono()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, std::numeric_limits<int>::max()));
  }

  const Clock& clock_;
  const int signals_;
  const int wakes_;
};

}  // namespace

Result<std::unique_ptr<Signals>> TakeSignals(const Clock& clock) {
  const auto refuse = [](int error) {
    return Error{ErrorKind::kUnavailable,
                 "signals cannot be taken: " + std::generic_category().message(error)};
  };
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) return refuse(error);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) return refuse(errno);
  const int wakes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakes < 0) {
    const int error = errno;
    close(signals);
    return refuse(error);
  }
  return std::unique_ptr<Signals>(new SignalFd(clock, signals, wakes));
}

std::string_view SignalName(int signal) {
  switch (signal) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    default:
      return "signal";
  }
}

}  // namespace roster::app
