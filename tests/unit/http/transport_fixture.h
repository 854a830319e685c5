// What the tests of the transport share: one authority, a server under it, and a transport that
// trusts it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "http/cpprest_transport.h"
#include "unit/http/pki.h"
#include "unit/http/test_server.h"

namespace roster::http {

using kube::Request;
using std::chrono::milliseconds;

/// Far beyond what anything here takes, so that a slow machine fails no test and a hang still ends.
constexpr milliseconds kPlenty{30'000};

class TransportTest : public testing::Test {
 protected:
  static const Authority& Ca() {
    static const Authority authority("test CA");
    return authority;
  }
  static Identity ServerIdentity() {
    static const Identity identity =
        Ca().Issue({"server", {"DNS:localhost", "DNS:kubernetes", "IP:127.0.0.1", "IP:::1"}});
    return identity;
  }

  void Serve(TestServer::Handler handler) {
    TestServer::Options options;
    options.identity = ServerIdentity();
    Serve(std::move(options), std::move(handler));
  }
  void Serve(TestServer::Options options, TestServer::Handler handler) {
    server_ = std::make_unique<TestServer>(std::move(options), std::move(handler));
    credentials_.server = server_->url();
    credentials_.certificate_authority = kube::Secret::Inline(Ca().certificate());
  }

  /// The transport under test, made at first use of credentials_ and options_ as they are then.
  kube::Transport& Transport() {
    if (!transport_) {
      auto made = MakeCppRestTransport(credentials_, options_, clock_);
      EXPECT_TRUE(made.ok()) << made.error().message;
      transport_ = std::move(*made);
    }
    return *transport_;
  }

  static Request Get(std::string target, milliseconds timeout = kPlenty) {
    Request request;
    request.method = "GET";
    request.target = std::move(target);
    request.timeout = timeout;
    return request;
  }
  Result<kube::Response> Send(const Request& request, std::stop_token stop = {}) {
    return Transport().Send(request, std::move(stop));
  }
  /// "200 body", or "Kind: message".
  static std::string Describe(const Result<kube::Response>& response) {
    if (response) return std::to_string(response->status) + " " + response->body;
    return std::string(ToString(response.error().kind)) + ": " + response.error().message;
  }

  milliseconds SinceStart() const {
    return std::chrono::duration_cast<milliseconds>(clock_.Mono() - start_);
  }

  SystemClock clock_;
  const MonoTime start_ = clock_.Mono();
  kube::Credentials credentials_;
  TransportOptions options_{.user_agent = "roster/test"};
  // The transport ends first: a server's handler may wait for its client to hang up.
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<kube::Transport> transport_;
};

}  // namespace roster::http
