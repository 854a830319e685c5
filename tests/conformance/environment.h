// What the conformance suite runs on. Each program links one implementation of MakeEnvironment.
#pragma once

#include <memory>
#include <string>

#include "kube/transport.h"

namespace roster::conformance {

class Environment {
 public:
  virtual ~Environment() = default;
  virtual kube::Transport& transport() = 0;
  /// Lets the rest of the cluster (garbage collector, Deployment controller) work for a moment.
  virtual void LetOthersWork() = 0;
};

/// Ready to be used, with the Agent API installed. Throws std::runtime_error if that cannot be had.
std::unique_ptr<Environment> MakeEnvironment();

}  // namespace roster::conformance
