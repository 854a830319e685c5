// The suite on the API server that $KUBECONFIG names. It installs the Agent API if that is not
// there, and makes and removes namespaces of its own; the cluster needs a kube-controller-manager
// and neither nodes nor a scheduler.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "base/clock.h"
#include "conformance/environment.h"
#include "http/cpprest_transport.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"

namespace roster::conformance {
namespace {

constexpr const char* kDefinition = "agents.agentroster.dev";

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class RealEnvironment final : public Environment {
 public:
  RealEnvironment() {
    auto credentials = kube::FindCredentials("", "", kube::ProcessSurroundings());
    if (!credentials) throw std::runtime_error(credentials.error().message);
    http::TransportOptions options;
    options.user_agent = "roster/conformance (linux/amd64)";
    auto transport = http::MakeCppRestTransport(*std::move(credentials), options, clock_);
    if (!transport) throw std::runtime_error(transport.error().message);
    transport_ = *std::move(transport);
    InstallDefinition();
  }
  kube::Transport& transport() override { return *transport_; }
  void LetOthersWork() override { clock_.SleepFor(std::chrono::milliseconds(100), {}); }

 private:
  void InstallDefinition() {
    kube::Client client(*transport_);
    const auto found = client.Get(kube::kCustomResourceDefinitions, {"", kDefinition}, {});
    if (!found && found.error().kind != ErrorKind::kNotFound)
      throw std::runtime_error(found.error().message);
    if (!found) {
      kube::Request request;
      request.method = "PATCH";
      request.target = kube::kCustomResourceDefinitions.Path("", kDefinition) +
                       "?fieldManager=roster-conformance";
      request.content_type = "application/apply-patch+yaml";
      request.body = ReadFile(ROSTER_CRD_FILE);
      const auto applied = transport_->Send(request, {});
      if (!applied) throw std::runtime_error(applied.error().message);
      if (applied->status != 201) throw std::runtime_error(applied->body);
    }
    // A new resource answers 404, and its watches 429, until the server has set it up.
    for (int i = 0; i < 300; ++i) {
      kube::WatchOptions watch;
      watch.server_timeout = std::chrono::seconds(1);
      if (client.List(kube::kAgents, {}, [](nlohmann::json&&) {}, {}) &&
          client.Watch(kube::kAgents, watch, [](kube::WatchEvent&&) { return false; }, {})) {
        return;
      }
      LetOthersWork();
    }
    throw std::runtime_error("the server does not serve agents.agentroster.dev");
  }

  SystemClock clock_;
  std::unique_ptr<kube::Transport> transport_;
};

}  // namespace

std::unique_ptr<Environment> MakeEnvironment() {
  return std::make_unique<RealEnvironment>();
}

}  // namespace roster::conformance

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (roster::kube::ProcessSurroundings().getenv("KUBECONFIG").value_or("").empty()) {
    std::cout << "cannot: KUBECONFIG is not set, so there is no API server to compare with\n";
    return 77;
  }
  return RUN_ALL_TESTS();
}
