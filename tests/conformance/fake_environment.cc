// The suite on the fake API server.
#include "conformance/environment.h"
#include "fakes/fake_api_server.h"
#include "fakes/fake_clock.h"
#include "fakes/fake_cluster.h"

namespace roster::conformance {
namespace {

class FakeEnvironment final : public Environment {
 public:
  FakeEnvironment() { server_.CollectGarbageAtOnce(false); }
  kube::Transport& transport() override { return server_; }
  void LetOthersWork() override {
    clock_.Advance(std::chrono::milliseconds(100));
    cluster_.RunControllers();
    server_.RunGarbageCollector();
  }

 private:
  fake::FakeClock clock_;
  fake::FakeApiServer server_{clock_};
  fake::FakeCluster cluster_{server_, clock_};
};

}  // namespace

std::unique_ptr<Environment> MakeEnvironment() {
  return std::make_unique<FakeEnvironment>();
}

}  // namespace roster::conformance
