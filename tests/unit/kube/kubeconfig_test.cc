#include "kube/kubeconfig.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "fakes/fake_clock.h"
#include "unit/kube/temp_dir.h"

namespace roster::kube {
namespace {

using testing::HasSubstr;

// "-----BEGIN CA-----", "-----BEGIN CERT-----", "-----BEGIN KEY-----" as Base 64.
constexpr char kCa64[] = "LS0tLS1CRUdJTiBDQS0tLS0t";
constexpr char kCert64[] = "LS0tLS1CRUdJTiBDRVJULS0tLS0=";
constexpr char kKey64[] = "LS0tLS1CRUdJTiBLRVktLS0tLQ==";

class KubeconfigTest : public testing::Test {
 protected:
  std::string Read(const Secret& secret) {
    const auto text = secret.Read(clock_);
    return text ? *text : text.error().message;
  }
  /// One cluster, user and context with these maps.
  static std::string Config(std::string_view cluster, std::string_view user) {
    return fmt::format(
        "apiVersion: v1\nkind: Config\npreferences: {{}}\n"
        "clusters:\n- name: c\n  cluster: {{{}}}\n"
        "users:\n- name: u\n  user: {{{}}}\n"
        "contexts:\n- name: x\n  context: {{cluster: c, user: u}}\n"
        "current-context: x\n",
        cluster, user);
  }

  fake::FakeClock clock_;
  TempDir dir_;
};

TEST_F(KubeconfigTest, ReadsInlineData) {
  const auto credentials = ParseKubeconfig(
      Config(fmt::format("server: 'https://10.0.0.1:6443', certificate-authority-data: {}", kCa64),
             fmt::format("client-certificate-data: {}, client-key-data: {}", kCert64, kKey64)),
      "/nowhere", "");
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->server, "https://10.0.0.1:6443");
  EXPECT_EQ(Read(credentials->certificate_authority), "-----BEGIN CA-----");
  EXPECT_EQ(Read(credentials->client_certificate), "-----BEGIN CERT-----");
  EXPECT_EQ(Read(credentials->client_key), "-----BEGIN KEY-----");
  EXPECT_FALSE(credentials->client_key.rotates());
  EXPECT_TRUE(credentials->token.empty());
  EXPECT_FALSE(credentials->insecure_skip_tls_verify);
  EXPECT_EQ(credentials->default_namespace, "default");
  EXPECT_THAT(credentials->source, HasSubstr("context x"));
}

TEST_F(KubeconfigTest, FilesAreRelativeToTheKubeconfigAndMayRotate) {
  dir_.Write("pki/ca.crt", "-----BEGIN CA-----\n");
  const std::string certificate = dir_.Write("client.crt", "-----BEGIN CERT-----\n");
  dir_.Write("client.key", "-----BEGIN KEY-----\n");
  dir_.Write("token", "secret\n");
  const auto credentials = ParseKubeconfig(
      Config("server: 'https://h', certificate-authority: pki/ca.crt",
             fmt::format("client-certificate: {}, client-key: ./client.key, tokenFile: token",
                         certificate)),
      dir_.path(), "");
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(Read(credentials->certificate_authority), "-----BEGIN CA-----");
  EXPECT_EQ(Read(credentials->client_certificate), "-----BEGIN CERT-----");
  EXPECT_EQ(Read(credentials->client_key), "-----BEGIN KEY-----");
  EXPECT_EQ(Read(credentials->token), "secret");
  for (const Secret* secret :
       {&credentials->certificate_authority, &credentials->client_certificate,
        &credentials->client_key, &credentials->token}) {
    EXPECT_TRUE(secret->rotates());
  }
  dir_.Write("token", "new");
  credentials->token.Expire();
  EXPECT_EQ(Read(credentials->token), "new");
}

TEST_F(KubeconfigTest, DataWinsOverAFileAndATokenFileOverAToken) {
  const std::string token = dir_.Write("token", "from file");
  const auto credentials =
      ParseKubeconfig(Config(fmt::format("server: 'https://h', certificate-authority: /missing, "
                                         "certificate-authority-data: {}",
                                         kCa64),
                             fmt::format("token: inline, tokenFile: {}", token)),
                      dir_.path(), "");
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(Read(credentials->certificate_authority), "-----BEGIN CA-----");
  EXPECT_EQ(Read(credentials->token), "from file");
}

TEST_F(KubeconfigTest, TlsSettingsAreTakenOver) {
  const auto named =
      ParseKubeconfig(Config("server: 'https://h', tls-server-name: other", "token: t"), "", "");
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_EQ(named->tls_server_name, "other");
  EXPECT_EQ(Read(named->token), "t");
  const auto insecure =
      ParseKubeconfig(Config("server: 'https://h', insecure-skip-tls-verify: true", ""), "", "");
  ASSERT_TRUE(insecure) << insecure.error().message;
  EXPECT_TRUE(insecure->insecure_skip_tls_verify);
}

TEST_F(KubeconfigTest, ServersOfEveryShape) {
  for (const auto& [given, taken] : std::map<std::string, std::string>{
           {"https://h", "https://h"},
           {"https://h:6443/", "https://h:6443"},
           {"https://h/k8s/clusters/c-1//", "https://h/k8s/clusters/c-1"},
           {"http://127.0.0.1:8001", "http://127.0.0.1:8001"},
           {"https://[::1]:6443", "https://[::1]:6443"},
           {"https://[fd00::1]", "https://[fd00::1]"}}) {
    const auto credentials =
        ParseKubeconfig(Config(fmt::format("server: '{}'", given), ""), "", "");
    ASSERT_TRUE(credentials) << given << ": " << credentials.error().message;
    EXPECT_EQ(credentials->server, taken);
  }
}

constexpr char kTwoContexts[] = R"(
apiVersion: v1
clusters:
- {name: good, cluster: {server: "https://good"}}
- {name: proxied, cluster: {server: "https://p", proxy-url: "http://proxy"}}
users:
- {name: plain, user: {token: t}}
- {name: plugin, user: {exec: {command: aws}}}
contexts:
- {name: first, context: {cluster: good, user: plain, namespace: team}}
- {name: second, context: {cluster: proxied, user: plugin}}
current-context: second
)";

TEST_F(KubeconfigTest, OnlyTheChosenContextIsJudged) {
  const auto credentials = ParseKubeconfig(kTwoContexts, "", "first");
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->server, "https://good");
  EXPECT_EQ(credentials->default_namespace, "team");
  EXPECT_FALSE(ParseKubeconfig(kTwoContexts, "", ""));
}

TEST_F(KubeconfigTest, JsonIsYamlToo) {
  const auto credentials = ParseKubeconfig(
      R"({"clusters":[{"name":"c","cluster":{"server":"https://h"}}],"users":null,
          "contexts":[{"name":"x","context":{"cluster":"c","user":""}}],"current-context":"x"})",
      "", "");
  ASSERT_TRUE(credentials) << credentials.error().message;
  EXPECT_EQ(credentials->server, "https://h");
}

// ---- Where credentials are found

class FindCredentialsTest : public KubeconfigTest {
 protected:
  Result<Credentials> Find(std::string_view kubeconfig = "", std::string_view context = "") {
    Surroundings surroundings;
    surroundings.getenv = [this](std::string_view name) -> std::optional<std::string> {
      const auto it = env_.find(std::string(name));
      if (it == env_.end()) return std::nullopt;
      return it->second;
    };
    surroundings.service_account_dir = dir_.path() + "/sa";
    return FindCredentials(kubeconfig, context, surroundings);
  }
  std::string ServerOf(const Result<Credentials>& found) {
    return found ? found->server : "error: " + found.error().message;
  }
  std::string WriteConfig(const std::string& name) {
    return dir_.Write(
        name,
        Config(fmt::format("server: 'https://{}'",
                           dir_.path().empty() ? "" : "from-" + name.substr(name.rfind('/') + 1)),
               ""));
  }
  void WriteServiceAccount() {
    dir_.Write("sa/token", "sa-token\n");
    dir_.Write("sa/ca.crt", "-----BEGIN CA-----\n");
    dir_.Write("sa/namespace", "roster-system\n");
  }

  std::map<std::string, std::string> env_;
};

TEST_F(FindCredentialsTest, TheFlagGoesBeforeTheEnvironmentBeforeTheClusterBeforeTheHome) {
  WriteServiceAccount();
  const std::string flag = WriteConfig("flag");
  env_["KUBECONFIG"] = WriteConfig("env");
  env_["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
  env_["KUBERNETES_SERVICE_PORT"] = "443";
  env_["HOME"] = dir_.path();
  WriteConfig(".kube/config");

  const auto by_flag = Find(flag);
  EXPECT_EQ(ServerOf(by_flag), "https://from-flag");
  EXPECT_EQ(by_flag->source, "kubeconfig " + flag + ", context x");
  EXPECT_EQ(ServerOf(Find()), "https://from-env");
  env_["KUBECONFIG"] = "";
  EXPECT_EQ(ServerOf(Find()), "https://10.96.0.1:443");
  env_.erase("KUBERNETES_SERVICE_HOST");
  EXPECT_EQ(ServerOf(Find()), "https://from-config");
}

TEST_F(FindCredentialsTest, InTheClusterTheServiceAccountSpeaks) {
  WriteServiceAccount();
  env_ = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "6443"}};
  const auto found = Find();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->server, "https://[fd00::1]:6443");
  EXPECT_EQ(Read(found->token), "sa-token");
  EXPECT_TRUE(found->token.rotates());
  EXPECT_EQ(Read(found->certificate_authority), "-----BEGIN CA-----");
  EXPECT_EQ(found->default_namespace, "roster-system");
  EXPECT_EQ(found->source, "in-cluster");

  // The token is read again after a minute, the CA after five.
  dir_.Write("sa/token", "token-2");
  dir_.Write("sa/ca.crt", "CA-2");
  const auto read = [&found](fake::FakeClock& clock) {
    return *found->token.Read(clock) + " " + *found->certificate_authority.Read(clock);
  };
  fake::FakeClock
      later;  // a clock that begins where the secrets' own reading may have been in its future
  later.Advance(SystemClock().Mono().time_since_epoch());
  EXPECT_EQ(read(later), "sa-token -----BEGIN CA-----");
  later.Advance(std::chrono::seconds(61));
  EXPECT_EQ(read(later), "token-2 -----BEGIN CA-----");
  later.Advance(std::chrono::seconds(240));
  EXPECT_EQ(read(later), "token-2 CA-2");
}

TEST_F(FindCredentialsTest, AServiceAccountWithoutATokenIsNamedWithTheMend) {
  env_ = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  const auto found = Find();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(found.error().message, HasSubstr(dir_.path() + "/sa/token"));
  EXPECT_THAT(found.error().message, HasSubstr("automountServiceAccountToken"));
}

TEST_F(FindCredentialsTest, AContextCannotBeChosenInTheCluster) {
  WriteServiceAccount();
  env_ = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_THAT(ServerOf(Find("", "prod")), HasSubstr("\"prod\""));
}

TEST_F(FindCredentialsTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(ServerOf(Find()), HasSubstr("--kubeconfig FILE"));
  env_["HOME"] = dir_.path();
  EXPECT_THAT(ServerOf(Find()), HasSubstr("no ~/.kube/config"));
  EXPECT_EQ(
      ServerOf(Find("/no/such/file")),
      "error: cannot read the kubeconfig /no/such/file (--kubeconfig): No such file or directory");
  env_["KUBECONFIG"] = dir_.path();
  EXPECT_THAT(ServerOf(Find()), HasSubstr("($KUBECONFIG): Is a directory"));
}

TEST_F(FindCredentialsTest, AListOfFilesIsRefused) {
  env_["KUBECONFIG"] = "/a:/b";
  const auto found = Find();
  EXPECT_THAT(ServerOf(found), HasSubstr("$KUBECONFIG is the list \"/a:/b\""));
  EXPECT_THAT(ServerOf(found), HasSubstr("kubectl config view --flatten"));
}

TEST_F(FindCredentialsTest, ErrorsNameTheFileTheLineAndTheKey) {
  const std::string file = dir_.Write("config", kTwoContexts);
  EXPECT_THAT(ServerOf(Find(file)),
              HasSubstr("kubeconfig " + file +
                        ": line 5: clusters[\"proxied\"].cluster.proxy-url: is not supported"));
}

}  // namespace
}  // namespace roster::kube
