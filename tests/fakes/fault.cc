#include "fakes/fault.h"

#include <utility>

namespace roster::fake {

Fault Fault::Answer(Failure failure, std::optional<std::chrono::seconds> retry_after) {
  Fault fault{Kind::kAnswer};
  fault.failure = std::move(failure);
  fault.retry_after = retry_after;
  return fault;
}

Fault Fault::Answer(int code, std::string_view reason, std::string_view message) {
  return Answer(AnyFailure(code, reason, message));
}

Fault Fault::Delay(MonoClock::duration delay) {
  Fault fault{Kind::kDelay};
  fault.delay = delay;
  return fault;
}

Fault Fault::CutStream(size_t bytes) {
  Fault fault{Kind::kCutStream};
  fault.bytes = bytes;
  return fault;
}

void FaultPlan::Add(std::string_view verb, std::string_view resource, int n, Fault fault) {
  if (n > 0) planned_.push_back({std::string(verb), std::string(resource), n, std::move(fault)});
}

std::optional<Fault> FaultPlan::Take(std::string_view verb, std::string_view resource) {
  for (auto plan = planned_.begin(); plan != planned_.end(); ++plan) {
    if (plan->verb != "*" && plan->verb != verb) continue;
    if (plan->resource != "*" && plan->resource != resource) continue;
    Fault fault = plan->fault;
    if (--plan->left == 0) planned_.erase(plan);
    return fault;
  }
  return std::nullopt;
}

}  // namespace roster::fake
