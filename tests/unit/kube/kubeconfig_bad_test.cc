// Every kubeconfig that is refused, with what the refusal must say.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/kubeconfig.h"
#include "unit/kube/temp_dir.h"

namespace roster::kube {
namespace {

using testing::HasSubstr;

struct Bad {
  std::string text;
  std::vector<std::string> says;
  std::string context = "";
};

std::string WithCluster(std::string_view cluster) {
  return fmt::format(
      "clusters:\n- name: c\n  cluster:\n    {}\nusers: [{{name: u, user: {{}}}}]\n"
      "contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n",
      cluster);
}

std::string WithUser(std::string_view user) {
  return fmt::format(
      "users:\n- name: u\n  user:\n    {}\nclusters: [{{name: c, cluster: {{server: "
      "'https://h'}}}}]\n"
      "contexts: [{{name: x, context: {{cluster: c, user: u}}}}]\ncurrent-context: x\n",
      user);
}

std::string WithContexts(std::string_view contexts) {
  return fmt::format(
      "clusters: [{{name: c, cluster: {{server: 'https://h'}}}}]\nusers: [{{name: u, user: "
      "{{}}}}]\n"
      "contexts: {}\ncurrent-context: x\n",
      contexts);
}

std::string Repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void ExpectRefused(const std::vector<Bad>& table) {
  for (const Bad& bad : table) {
    const auto credentials = ParseKubeconfig(bad.text, "/nowhere", bad.context);
    ASSERT_FALSE(credentials) << bad.text.substr(0, 500);
    EXPECT_EQ(credentials.error().kind, ErrorKind::kInvalid);
    for (const std::string& part : bad.says) {
      EXPECT_THAT(credentials.error().message, HasSubstr(part)) << bad.text.substr(0, 500);
    }
  }
}

TEST(BadKubeconfigTest, FilesThatAreNoKubeconfig) {
  ExpectRefused({
      {"", {"empty"}},
      {"just text", {"line 1", "must be a map"}},
      {"- a list\n", {"must be a map"}},
      {"a: b\n c: d\n: :", {"line 2", "no YAML"}},
      {"a: [b", {"no YAML"}},
      {"a: &x 1\nb: *x\n", {"line 2", "aliases"}},
      {"a: &x [*x]\n", {"aliases"}},
      {std::string((1U << 20U) + 1, ' '), {"larger than 1 MiB"}},
  });
}

TEST(BadKubeconfigTest, NestingThatWouldOverflowAParser) {
  ExpectRefused({
      {"a: " + Repeat("[", 40) + Repeat("]", 40), {"line 1", "deeper than 32"}},
      {Repeat("[", 500'000), {"deeper than 32"}},
      {Repeat("{a: ", 200'000), {"deeper than 32"}},
      {Repeat("- ", 500'000), {"deeper than 32"}},
      {Repeat("? ", 500'000), {"deeper than 32"}},
  });
}

TEST(BadKubeconfigTest, ContextsThatLeadNowhere) {
  ExpectRefused({
      {"clusters: []\n", {"no current-context", "--context"}},
      {"current-context: [x]\n", {"line 1", "current-context", "must be a text"}},
      {"current-context: x\n", {"current-context names \"x\"", "contexts", "the list is empty"}},
      {"current-context: x\ncontexts: {x: y}\n", {"line 2", "contexts", "must be a list"}},
      {WithContexts("[{name: y, context: {cluster: c}}]"),
       {"current-context names \"x\"", "contexts: y"}},
      {WithContexts("[{name: x, context: {cluster: c}}]"), {"--context names \"z\""}, "z"},
      {WithContexts("[x]"), {"line 3", "contexts", "a map with a name"}},
      {WithContexts("[{context: {}}]"), {"contexts", "a map with a name"}},
      {WithContexts("[{name: x}]"), {"line 3", "contexts[\"x\"]", "no map \"context\""}},
      {WithContexts("[{name: x, context: {cluster: c}}, {name: x, context: {}}]"),
       {"contexts[\"x\"]", "two"}},
      {WithContexts("[{name: x, context: {user: u}}]"),
       {"contexts[\"x\"].context", "names no cluster"}},
      {WithContexts("[{name: x, context: {cluster: d}}]"),
       {"contexts[\"x\"] names \"d\"", "clusters: c"}},
      {WithContexts("[{name: x, context: {cluster: c, user: v}}]"),
       {"contexts[\"x\"] names \"v\"", "users: u"}},
      {WithContexts("[{name: x, context: {cluster: c, namespace: [n]}}]"),
       {"namespace", "must be a text"}},
      {WithContexts("[{name: x, context: {cluster: c, usr: u}}]"), {"context.usr", "spelling"}},
  });
}

TEST(BadKubeconfigTest, ClustersThatCannotBeReached) {
  ExpectRefused({
      {WithCluster("tls-server-name: n"), {"clusters[\"c\"].cluster", "no server"}},
      {WithCluster("server: [a]"), {"line 4", "server", "must be a text"}},
      {WithCluster("server: h:6443"),
       {"line 4", "clusters[\"c\"].cluster.server", "\"h:6443\"", "https://HOST:PORT"}},
      {WithCluster("server: ftp://h"), {"server", "does not begin with https://"}},
      {WithCluster("server: https://"), {"server", "no host"}},
      {WithCluster("server: https://:6443"), {"server", "no host"}},
      {WithCluster("server: https://h:0"), {"server", "port", "65535"}},
      {WithCluster("server: https://h:65536"), {"server", "port"}},
      {WithCluster("server: https://h:x"), {"server", "port"}},
      {WithCluster("server: 'https://h:'"), {"server", "port"}},
      {WithCluster("server: https://user:secret@h"), {"server", "does not belong"}},
      {WithCluster("server: https://h?a=b"), {"server", "does not belong"}},
      {WithCluster("server: https://fd00::1"), {"server", "brackets"}},
      {WithCluster("server: 'https://[fd00::1'"), {"server", "broken IPv6"}},
      {WithCluster("server: 'https://[fd00::1]x'"), {"server", "after its IPv6"}},
      {WithCluster("server: https://h\n    proxy-url: http://p"),
       {"line 5", "proxy-url", "is not supported", "remove it"}},
      {WithCluster("server: https://h\n    insecure-skip-tls-verify: maybe"),
       {"line 5", "true or false"}},
      {WithCluster("server: https://h\n    insecure-skip-tls-verify: true\n    "
                   "certificate-authority-data: LS0tLS1CRUdJTiBDQS0tLS0t"),
       {"line 5", "insecure-skip-tls-verify", "contradicts"}},
      {WithCluster("server: https://h\n    certificate-authority-data: '***'"),
       {"line 5", "certificate-authority-data", "Base 64"}},
      {WithCluster("server: https://h\n    certificate-authority-data: Zm9v"),
       {"certificate-authority-data", "PEM"}},
      {WithCluster("server: https://h\n    certificate-authority: ca.crt"),
       {"line 5", "certificate-authority:", "/nowhere/ca.crt", "No such file"}},
      {WithCluster("server: https://h\n    certificate-authority: /proc/version"),
       {"/proc/version", "PEM"}},
      {WithCluster("server: https://h\n    certificate-athority: x"),
       {"line 5", "certificate-athority", "spelling"}},
  });
}

TEST(BadKubeconfigTest, UsersThatCannotLogIn) {
  std::vector<Bad> table = {
      {WithUser("client-certificate-data: LS0tLS1CRUdJTiBDRVJULS0tLS0="),
       {"users[\"u\"].user", "no client-key"}},
      {WithUser("client-key-data: LS0tLS1CRUdJTiBDRVJULS0tLS0="), {"no client-certificate"}},
      {WithUser("client-certificate: c.pem\n    client-key: k.pem"),
       {"line 4", "client-certificate", "/nowhere/c.pem"}},
      {WithUser("tokenFile: t"), {"line 4", "tokenFile", "/nowhere/t"}},
      {WithUser("token: \"a\\nb\""), {"line 4", "token", "control characters"}},
      {WithUser("token: [a]"), {"token", "must be a text"}},
      {WithUser("tokn: a"), {"tokn", "spelling"}},
      {WithUser("[a]: b"), {"users[\"u\"].user"}},
  };
  for (const char* key :
       {"exec: {command: aws}", "auth-provider: {name: gcp}", "username: me", "password: secret",
        "as: admin", "as-uid: '1'", "as-groups: [a]", "as-user-extra: {a: [b]}"}) {
    const std::string line = key;
    table.push_back({WithUser(line),
                     {"line 4", "users[\"u\"].user." + line.substr(0, line.find(':')),
                      "is not supported", "--context"}});
  }
  ExpectRefused(table);
}

TEST(BadKubeconfigTest, NoRefusalTellsASecret) {
  for (const char* user : {"token: \"s3cret\\n\"", "password: s3cret",
                           "token: s3cret\n    exec: {}", "client-key-data: s3cret*"}) {
    const auto credentials = ParseKubeconfig(WithUser(user), "", "");
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().message.find("s3cret"), std::string::npos)
        << credentials.error().message;
  }
}

}  // namespace
}  // namespace roster::kube
