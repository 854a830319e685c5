// Who the client believes, and who it says it is.

#include <filesystem>
#include <fstream>

#include "unit/http/transport_fixture.h"

namespace roster::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TransportTlsTest : public TransportTest {
 protected:
  TransportTlsTest() {
    std::string name = testing::TempDir() + "roster-tls-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~TransportTlsTest() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name) << text;
    return directory_ + "/" + name;
  }
  static bool Hello(Peer& peer, const SeenRequest& /*request*/) {
    return peer.Answer(200, "hello");
  }
  void ServeAs(const Identity& identity) {
    TestServer::Options options;
    options.identity = identity;
    Serve(std::move(options), Hello);
  }
  void LogInAs(const Identity& identity) {
    credentials_.client_certificate = kube::Secret::Inline(identity.certificate);
    credentials_.client_key = kube::Secret::Inline(identity.key);
  }
  /// Of making a transport with credentials_.
  std::string WhyRefused() {
    const auto made = MakeCppRestTransport(credentials_, options_, clock_);
    return made ? "accepted"
                : std::string(ToString(made.error().kind)) + ": " + made.error().message;
  }

  std::string directory_;
};

TEST_F(TransportTlsTest, AServerOfAnotherAuthorityIsRefused) {
  const Authority other("other CA");
  ServeAs(other.Issue({"server", {"IP:127.0.0.1"}}));
  const std::string refused = Describe(Send(Get("/")));
  EXPECT_THAT(refused, StartsWith("Unavailable: GET https://127.0.0.1:"));
  EXPECT_THAT(refused, HasSubstr("certificate verify failed"));
  EXPECT_THAT(refused, HasSubstr("unable to get local issuer certificate"));
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(TransportTlsTest, WithoutAnAuthorityOnlyTheSystemsAreTrusted) {
  ServeAs(ServerIdentity());
  credentials_.certificate_authority = {};
  EXPECT_THAT(Describe(Send(Get("/"))), HasSubstr("certificate verify failed"));
}

TEST_F(TransportTlsTest, AServerOfAnotherNameIsRefusedByBothNames) {
  ServeAs(Ca().Issue({"127.0.0.1", {"DNS:elsewhere", "IP:10.0.0.1"}}));
  EXPECT_THAT(
      Describe(Send(Get("/"))),
      HasSubstr("the server's certificate is valid for elsewhere, 10.0.0.1, not for 127.0.0.1"));
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(TransportTlsTest, ACommonNameIsNoHostName) {
  ServeAs(Ca().Issue({"localhost", {}}));
  credentials_.server = server_->url("localhost");
  EXPECT_THAT(Describe(Send(Get("/"))), HasSubstr("valid for no name at all, not for localhost"));
}

TEST_F(TransportTlsTest, ANameIsVerifiedAndSentAsSni) {
  ServeAs(ServerIdentity());
  credentials_.server = server_->url("localhost");
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->requests().front().sni, "localhost");
}

TEST_F(TransportTlsTest, AnAddressIsVerifiedAndNeverSentAsSni) {
  ServeAs(ServerIdentity());
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->requests().front().sni, "");
}

TEST_F(TransportTlsTest, TlsServerNameTakesTheHostsPlaceInTlsAndNowhereElse) {
  ServeAs(Ca().Issue({"server", {"DNS:kubernetes"}}));
  credentials_.tls_server_name = "kubernetes";
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->requests().front().sni, "kubernetes");
  EXPECT_EQ(server_->requests().front().Header("host"),
            "127.0.0.1:" + std::to_string(server_->port()));

  transport_.reset();
  credentials_.tls_server_name = "other";
  EXPECT_THAT(Describe(Send(Get("/"))), HasSubstr("valid for kubernetes, not for other"));
}

TEST_F(TransportTlsTest, InsecureSkipsTheCheckBecauseItWasAskedTo) {
  const Authority other("other CA");
  ServeAs(other.Issue({"server", {"DNS:elsewhere"}}));
  credentials_.insecure_skip_tls_verify = true;
  credentials_.certificate_authority = {};
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
}

TEST_F(TransportTlsTest, TheClientShowsItsCertificate) {
  TestServer::Options options;
  options.identity = ServerIdentity();
  options.client_authority = Ca().certificate();
  Serve(std::move(options), Hello);
  LogInAs(Ca().Issue({"roster-operator", {}}));
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");
  EXPECT_EQ(server_->requests().front().client_name, "roster-operator");
}

TEST_F(TransportTlsTest, AServerThatWantsACertificateRefusesAClientWithout) {
  TestServer::Options options;
  options.identity = ServerIdentity();
  options.client_authority = Ca().certificate();
  Serve(std::move(options), Hello);
  EXPECT_THAT(Describe(Send(Get("/"))), StartsWith("Unavailable: "));
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(TransportTlsTest, AStreamIsAsCarefulAsASend) {
  const Authority other("other CA");
  ServeAs(other.Issue({"server", {"IP:127.0.0.1"}}));
  const auto result = Transport().Stream(Get("/"), [](std::string_view) { return true; }, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(result.error().message, HasSubstr("certificate verify failed"));
}

// ---- Rotation

TEST_F(TransportTlsTest, ARotatedAuthorityIsTakenOver) {
  const Authority next("next CA");
  ServeAs(ServerIdentity());
  credentials_.certificate_authority =
      kube::Secret::File(Write("ca.crt", Ca().certificate()), std::chrono::seconds(0));
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello");

  server_->SetIdentity(next.Issue({"server", {"IP:127.0.0.1"}}));
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello") << "the old connection goes on";
  Write("ca.crt", "-----BEGIN CERT");
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello") << "half a file changes nothing";
  EXPECT_EQ(server_->connections(), 1);
  Write("ca.crt", next.certificate());
  EXPECT_EQ(Describe(Send(Get("/"))), "200 hello") << "a new connection trusts the new authority";
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(TransportTlsTest, ARotatedCertificateIsShownOnANewConnectionAfter401) {
  const Identity old_identity = Ca().Issue({"old", {}});
  const Identity new_identity = Ca().Issue({"new", {}});
  TestServer::Options options;
  options.identity = ServerIdentity();
  options.client_authority = Ca().certificate();
  std::atomic<bool> old_expired{false};
  Serve(std::move(options), [&](Peer& peer, const SeenRequest& request) {
    return peer.Answer(request.client_name == "old" && old_expired ? 401 : 200,
                       request.client_name);
  });
  credentials_.client_certificate =
      kube::Secret::File(Write("tls.crt", old_identity.certificate), std::chrono::hours(1));
  credentials_.client_key =
      kube::Secret::File(Write("tls.key", old_identity.key), std::chrono::hours(1));
  EXPECT_EQ(Describe(Send(Get("/"))), "200 old");

  old_expired = true;
  EXPECT_EQ(Describe(Send(Get("/"))), "401 old");
  Write("tls.crt", new_identity.certificate);
  EXPECT_EQ(Describe(Send(Get("/"))), "401 old") << "a certificate without its key is not used";
  Write("tls.key", new_identity.key);
  EXPECT_EQ(Describe(Send(Get("/"))), "200 new");
}

// ---- What cannot work is refused at the start

TEST_F(TransportTlsTest, UnusableCredentialsAreNamed) {
  const Identity identity = Ca().Issue({"a", {}});
  const Identity other = Ca().Issue({"b", {}});
  credentials_.server = "https://127.0.0.1:1";
  EXPECT_EQ(WhyRefused(), "accepted");

  credentials_.certificate_authority = kube::Secret::Inline("nothing of the kind");
  EXPECT_EQ(WhyRefused(), "Invalid: certificate-authority: holds no certificate");
  credentials_.certificate_authority =
      kube::Secret::Inline("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(WhyRefused(),
              StartsWith("Invalid: certificate-authority: a certificate cannot be read: "));
  credentials_.certificate_authority =
      kube::Secret::File("/no/such/ca.crt", std::chrono::seconds(1));
  EXPECT_EQ(
      WhyRefused(),
      "Invalid: certificate-authority: cannot read /no/such/ca.crt: No such file or directory");
  credentials_.certificate_authority =
      kube::Secret::Inline(Ca().certificate() + Ca().certificate());
  EXPECT_EQ(WhyRefused(), "accepted");

  LogInAs({identity.certificate, "no key"});
  EXPECT_THAT(WhyRefused(), StartsWith("Invalid: client-key: the key cannot be read: "));
  LogInAs({identity.certificate, other.key});
  EXPECT_EQ(WhyRefused(), "Invalid: client-key: does not belong to client-certificate");
  LogInAs({identity.certificate, EncryptKey(identity.key)});
  EXPECT_EQ(WhyRefused(),
            "Invalid: client-key: is encrypted; Roster needs a key without a passphrase");
  LogInAs({identity.key, identity.key});
  EXPECT_EQ(WhyRefused(), "Invalid: client-certificate: holds no certificate");
  LogInAs(identity);
  EXPECT_EQ(WhyRefused(), "accepted");

  credentials_.token = kube::Secret::Inline("a\r\nX-Injected: b");
  EXPECT_EQ(WhyRefused(), "Invalid: the bearer token holds white space or control characters");
  credentials_.token = kube::Secret::File("/no/such/token", std::chrono::seconds(1));
  EXPECT_THAT(WhyRefused(), HasSubstr("/no/such/token"));
}

TEST_F(TransportTlsTest, UnusableUrlsAreNamed) {
  for (const char* url : {"", "127.0.0.1:6443", "ftp://h", "https://", "https://h:0",
                          "https://h:70000", "https://h:x", "https://h:", "https://[::1",
                          "https://[]:1", "https://::1:2:x", "https://a b"}) {
    credentials_.server = url;
    EXPECT_THAT(WhyRefused(), StartsWith("Invalid: \"" + std::string(url) + "\"")) << url;
  }
}

}  // namespace
}  // namespace roster::http
