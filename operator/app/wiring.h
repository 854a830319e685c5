// The real things that App runs: who makes what, and what is bound to what.
#pragma once

#include <memory>
#include <string>

#include "app/app.h"
#include "app/settings.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "controller/controller.h"
#include "kube/client.h"
#include "kube/transport.h"
#include "metrics/metrics.h"

namespace roster::app {

/// Makes nothing happen by itself: owns no thread and sends nothing until steps are taken.
class Wiring {
 public:
  /// Finds credentials and makes the transport. Errors: kInvalid, naming what cannot be used; the
  /// configuration is bad.
  static Result<std::unique_ptr<Wiring>> Make(const Settings& settings, const Clock& clock,
                                              Logger log);

  /// `server`: the API server's URL. All references outlive the Wiring.
  Wiring(const Settings& settings, std::string server, std::unique_ptr<kube::Transport> transport,
         const Clock& clock, Logger log, Jitter jitter);

  /// Valid as long as the Wiring is.
  Steps TakeSteps();

 private:
  const Settings& settings_;
  const std::string server_;
  const Logger log_;
  const std::unique_ptr<kube::Transport> transport_;
  metrics::Metrics metrics_;
  kube::Client client_;
  controller::Controller controller_;
};

}  // namespace roster::app
