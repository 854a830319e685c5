#include "kube/kubeconfig.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <vector>

#include "kube/base64.h"

namespace roster::kube {
namespace {

constexpr size_t kMaxFile = 1U << 20U;
constexpr int kMaxDepth = 32;
/// How long a file that credentials name is taken for unchanged.
constexpr std::chrono::seconds kTokenAge{60};
constexpr std::chrono::seconds kCertificateAge{300};

Error Invalid(std::string message) {
  return {ErrorKind::kInvalid, std::move(message)};
}

Error InvalidAt(const YAML::Mark& mark, std::string_view message) {
  if (mark.is_null()) return Invalid(std::string(message));
  return Invalid(fmt::format("line {}: {}", mark.line + 1, message));
}

/// Walks a document without building it, so that neither nesting nor aliases can blow it up.
class ShapeCheck final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    Refuse(mark, "aliases (*name) are not supported; write the value out");
  }
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
    Enter(mark);
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    Enter(mark);
  }
  void OnMapEnd() override { --depth_; }

  const std::optional<Error>& problem() const { return problem_; }

 private:
  void Refuse(const YAML::Mark& mark, std::string_view why) {
    if (!problem_) problem_ = InvalidAt(mark, why);
  }
  void Enter(const YAML::Mark& mark) {
    if (++depth_ > kMaxDepth) Refuse(mark, fmt::format("nested deeper than {} levels", kMaxDepth));
  }

  int depth_ = 0;
  std::optional<Error> problem_;
};

Result<YAML::Node> ParseYaml(std::string_view text) {
  if (text.size() > kMaxFile) return Invalid("it is larger than 1 MiB");
  const std::string copy(text);
  try {
    std::istringstream stream(copy);
    YAML::Parser parser(stream);
    ShapeCheck check;
    if (!parser.HandleNextDocument(check)) return Invalid("it is empty");
    if (check.problem()) return *check.problem();
    return YAML::Load(copy);
  } catch (const YAML::DeepRecursion& e) {
    return InvalidAt(e.mark, fmt::format("nested deeper than {} levels", kMaxDepth));
  } catch (const YAML::Exception& e) {
    return InvalidAt(e.mark, "no YAML: " + e.msg);
  }
}

/// A map of the file, with the path that leads to it: `users["admin"].user`.
class Section {
 public:
  Section(const YAML::Node& node, std::string path) : node_(node), path_(std::move(path)) {}

  bool Has(const std::string& key) const { return Find(key).has_value(); }

  Error Refuse(const std::string& key, std::string_view why) const {
    const auto member = Find(key);
    return InvalidAt(member ? member->Mark() : node_.Mark(),
                     fmt::format("{}.{}: {}", path_, key, why));
  }
  Error Refuse(std::string_view why) const {
    return InvalidAt(node_.Mark(), fmt::format("{}: {}", path_, why));
  }

  /// The text at `key`, empty if there is none.
  Result<std::string> Text(const std::string& key) const {
    const auto member = Find(key);
    if (!member) return std::string();
    if (!member->IsScalar()) return Refuse(key, "must be a text");
    return member->Scalar();
  }

  Result<bool> Bool(const std::string& key) const {
    const auto member = Find(key);
    if (!member) return false;
    if (member->IsScalar() && member->Scalar() == "true") return true;
    if (member->IsScalar() && member->Scalar() == "false") return false;
    return Refuse(key, "must be true or false");
  }

  /// Refuses a key that is in neither list; `unsupported` are keys that mean something which Roster
  /// cannot do.
  Status CheckKeys(const std::vector<std::string>& known,
                   const std::vector<std::string>& unsupported, std::string_view mend) const {
    const auto among = [](const std::vector<std::string>& list, const std::string& key) {
      return std::find(list.begin(), list.end(), key) != list.end();
    };
    for (const auto& member : node_) {
      if (!member.first.IsScalar()) return Refuse("has a key that is no text");
      const std::string& key = member.first.Scalar();
      if (member.second.IsNull() || among(known, key)) continue;
      if (among(unsupported, key)) {
        return Refuse(key, fmt::format("is not supported by Roster; {}", mend));
      }
      return Refuse(key, "is no key of a kubeconfig; correct its spelling or remove it");
    }
    return Ok();
  }

 private:
  std::optional<YAML::Node> Find(const std::string& key) const {
    YAML::Node member = node_[key];
    if (!member.IsDefined() || member.IsNull()) return std::nullopt;
    return member;
  }

  const YAML::Node node_;
  std::string path_;
};

/// The entry called `name` of the list `list`, its map `inner`: `clusters: [{name: …, cluster:
/// {…}}]`.
Result<Section> FindEntry(const YAML::Node& root, const std::string& list, const std::string& inner,
                          const std::string& name, std::string_view asked_by) {
  const YAML::Node entries = root[list];
  std::vector<std::string> names;
  std::optional<Section> found;
  if (entries.IsDefined() && !entries.IsNull()) {
    if (!entries.IsSequence()) return InvalidAt(entries.Mark(), list + ": must be a list");
    for (const YAML::Node& entry : entries) {
      if (!entry.IsMap() || !entry["name"].IsDefined() || !entry["name"].IsScalar()) {
        return InvalidAt(entry.Mark(),
                         fmt::format("{}: each entry must be a map with a name", list));
      }
      names.push_back(entry["name"].Scalar());
      if (names.back() != name) continue;
      const std::string path = fmt::format("{}[\"{}\"]", list, name);
      if (found)
        return InvalidAt(entry.Mark(), fmt::format("{}: there are two of this name", path));
      const YAML::Node value = entry[inner];
      if (!value.IsDefined() || !value.IsMap()) {
        return InvalidAt(entry.Mark(), fmt::format("{}: has no map \"{}\"", path, inner));
      }
      found.emplace(value, fmt::format("{}.{}", path, inner));
    }
  }
  if (found) return *found;
  return Invalid(
      fmt::format("{} names \"{}\", which is not among {}: {}", asked_by, name, list,
                  names.empty() ? "the list is empty" : fmt::format("{}", fmt::join(names, ", "))));
}

std::string InDirectory(std::string_view directory, const std::string& file) {
  if (directory.empty() || (!file.empty() && file.front() == '/')) return file;
  return fmt::format("{}/{}", directory, file);
}

/// The PEM text at KEY-data, or else in the file that KEY names.
Result<Secret> Pem(const Section& section, const std::string& key, std::string_view directory) {
  const std::string data_key = key + "-data";
  if (const auto data = section.Text(data_key); !data) {
    return data.error();
  } else if (!data->empty()) {
    const auto decoded = DecodeBase64(*data);
    if (!decoded) return section.Refuse(data_key, "must be Base 64");
    if (decoded->find("-----BEGIN ") == std::string::npos) {
      return section.Refuse(data_key, "must hold a PEM text (-----BEGIN …) as Base 64");
    }
    return Secret::Inline(*decoded);
  }
  const auto file = section.Text(key);
  if (!file) return file.error();
  if (file->empty()) return Secret();
  Secret secret = Secret::File(InDirectory(directory, *file), kCertificateAge);
  // Read now, so that what is wrong is told with its key and line.
  const auto content = secret.Read(SystemClock());
  if (!content) return section.Refuse(key, content.error().message);
  if (content->find("-----BEGIN ") == std::string::npos) {
    return section.Refuse(key, fmt::format("{} must hold a PEM text (-----BEGIN …)", *file));
  }
  return secret;
}

/// "https://host:port[/path]" without a slash at the end, or what is wrong with it.
Result<std::string> CheckServer(std::string server) {
  const auto refuse = [&server](std::string_view why) {
    return Invalid(fmt::format("\"{}\" {}; expected is https://HOST:PORT", server, why));
  };
  size_t begin = 0;
  if (server.starts_with("https://")) {
    begin = 8;
  } else if (server.starts_with("http://")) {
    begin = 7;
  } else {
    return refuse("does not begin with https:// or http://");
  }
  if (server.find_first_of("?#@ \t\r\n\"<>\\^`{|}") != std::string::npos) {
    return refuse("has a character that does not belong there");
  }
  while (server.size() > begin && server.back() == '/') server.pop_back();
  const std::string authority = server.substr(begin, server.find('/', begin) - begin);
  size_t colon = std::string::npos;
  if (authority.starts_with("[")) {
    const size_t end = authority.find(']');
    if (end == std::string::npos || end == 1) return refuse("has a broken IPv6 address");
    if (end + 1 < authority.size()) {
      if (authority[end + 1] != ':') return refuse("has something after its IPv6 address");
      colon = end + 1;
    }
  } else {
    colon = authority.find(':');
    if (colon != authority.rfind(':')) return refuse("has an IPv6 address without brackets");
  }
  if (authority.empty() || colon == 0) return refuse("has no host");
  if (colon != std::string::npos) {
    const std::string port = authority.substr(colon + 1);
    const bool digits =
        !port.empty() && port.size() <= 5 &&
        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    const int number = digits ? std::stoi(port) : 0;
    if (number < 1 || number > 65535) return refuse("has a port that is not between 1 and 65535");
  }
  return server;
}

Status ReadCluster(const Section& cluster, std::string_view directory, Credentials& credentials) {
  if (auto keys = cluster.CheckKeys(
          {"server", "certificate-authority", "certificate-authority-data", "tls-server-name",
           "insecure-skip-tls-verify", "disable-compression", "extensions"},
          {"proxy-url"}, "remove it and let Roster reach the API server directly");
      !keys) {
    return keys;
  }
  const auto server = cluster.Text("server");
  if (!server) return server.error();
  if (server->empty()) return cluster.Refuse("has no server");
  auto url = CheckServer(*server);
  if (!url) return cluster.Refuse("server", url.error().message);
  credentials.server = std::move(*url);

  auto authority = Pem(cluster, "certificate-authority", directory);
  if (!authority) return authority.error();
  credentials.certificate_authority = std::move(*authority);
  auto name = cluster.Text("tls-server-name");
  if (!name) return name.error();
  credentials.tls_server_name = std::move(*name);
  const auto insecure = cluster.Bool("insecure-skip-tls-verify");
  if (!insecure) return insecure.error();
  if (*insecure && !credentials.certificate_authority.empty()) {
    return cluster.Refuse("insecure-skip-tls-verify",
                          "contradicts certificate-authority; remove one of them");
  }
  credentials.insecure_skip_tls_verify = *insecure;
  return Ok();
}

Status ReadUser(const Section& user, std::string_view directory, Credentials& credentials) {
  if (auto keys = user.CheckKeys({"client-certificate", "client-certificate-data", "client-key",
                                  "client-key-data", "token", "tokenFile", "extensions"},
                                 {"exec", "auth-provider", "username", "password", "as", "as-uid",
                                  "as-groups", "as-user-extra"},
                                 "choose a context that logs in with a client certificate, a token "
                                 "or a token file (--context), or run in the cluster");
      !keys) {
    return keys;
  }
  auto certificate = Pem(user, "client-certificate", directory);
  if (!certificate) return certificate.error();
  auto key = Pem(user, "client-key", directory);
  if (!key) return key.error();
  if (certificate->empty() != key->empty()) {
    return user.Refuse(certificate->empty() ? "has a client-key but no client-certificate"
                                            : "has a client-certificate but no client-key");
  }
  credentials.client_certificate = std::move(*certificate);
  credentials.client_key = std::move(*key);

  const auto token = user.Text("token");
  if (!token) return token.error();
  const auto token_file = user.Text("tokenFile");
  if (!token_file) return token_file.error();
  if (!token_file->empty()) {  // wins over token, as it does for kubectl
    credentials.token = Secret::File(InDirectory(directory, *token_file), kTokenAge);
    const auto content = credentials.token.Read(SystemClock());
    if (!content) return user.Refuse("tokenFile", content.error().message);
  } else if (!token->empty()) {
    const bool printable =
        std::all_of(token->begin(), token->end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (!printable) return user.Refuse("token", "must not hold white space or control characters");
    credentials.token = Secret::Inline(*token);
  }
  return Ok();
}

Result<Credentials> ReadConfig(const YAML::Node& root, std::string_view directory,
                               std::string_view wanted_context) {
  if (!root.IsMap())
    return InvalidAt(root.Mark(), "must be a map with clusters, users and contexts");
  const Section top(root, "kubeconfig");
  const auto current = top.Text("current-context");
  if (!current) return current.error();
  const std::string context_name = wanted_context.empty() ? *current : std::string(wanted_context);
  if (context_name.empty()) {
    return Invalid(
        "no current-context; choose one with --context NAME or `kubectl config use-context NAME`");
  }
  const auto context = FindEntry(root, "contexts", "context", context_name,
                                 wanted_context.empty() ? "current-context" : "--context");
  if (!context) return context.error();
  if (auto keys = context->CheckKeys({"cluster", "user", "namespace", "extensions"}, {}, "");
      !keys) {
    return keys.error();
  }
  const auto cluster_name = context->Text("cluster");
  if (!cluster_name) return cluster_name.error();
  if (cluster_name->empty()) return context->Refuse("names no cluster");
  const auto user_name = context->Text("user");
  if (!user_name) return user_name.error();
  auto ns = context->Text("namespace");
  if (!ns) return ns.error();

  Credentials credentials;
  if (!ns->empty()) credentials.default_namespace = std::move(*ns);
  credentials.source = fmt::format("context {}", context_name);
  const std::string asked_by = fmt::format("contexts[\"{}\"]", context_name);
  const auto cluster = FindEntry(root, "clusters", "cluster", *cluster_name, asked_by);
  if (!cluster) return cluster.error();
  if (auto read = ReadCluster(*cluster, directory, credentials); !read) return read.error();
  if (!user_name->empty()) {
    const auto user = FindEntry(root, "users", "user", *user_name, asked_by);
    if (!user) return user.error();
    if (auto read = ReadUser(*user, directory, credentials); !read) return read.error();
  }
  return credentials;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// `named_by` is the setting that chose the file.
Result<Credentials> ReadKubeconfigFile(const std::string& path, std::string_view named_by,
                                       std::string_view context) {
  if (path.find(':') != std::string::npos) {
    return Invalid(
        fmt::format("{} is the list \"{}\"; Roster reads one kubeconfig and merges none: "
                    "name one file, or merge them with `kubectl config view --flatten`",
                    named_by, path));
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && !file.good()) {
    return Invalid(fmt::format("cannot read the kubeconfig {} ({}): {}", path, named_by,
                               std::generic_category().message(errno != 0 ? errno : EIO)));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  auto credentials = ParseKubeconfig(text, DirectoryOf(path), context);
  if (!credentials)
    return Invalid(fmt::format("kubeconfig {}: {}", path, credentials.error().message));
  credentials->source = fmt::format("kubeconfig {}, {}", path, credentials->source);
  return credentials;
}

Result<Credentials> InCluster(const std::string& host, const std::string& port,
                              const std::string& directory) {
  Credentials credentials;
  const bool ipv6 = host.find(':') != std::string::npos && !host.starts_with("[");
  auto server =
      CheckServer(fmt::format("https://{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port));
  if (!server) {
    return Invalid("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: " +
                   server.error().message);
  }
  credentials.server = std::move(*server);
  credentials.token = Secret::File(directory + "/token", kTokenAge);
  credentials.certificate_authority = Secret::File(directory + "/ca.crt", kCertificateAge);
  const SystemClock clock;
  for (const Secret* secret : {&credentials.token, &credentials.certificate_authority}) {
    const auto text = secret->Read(clock);
    if (!text) {
      return Invalid(
          fmt::format("in-cluster credentials: {}; give the pod a ServiceAccount with "
                      "automountServiceAccountToken, or name a kubeconfig with --kubeconfig",
                      text.error().message));
    }
  }
  const auto ns = Secret::File(directory + "/namespace", kCertificateAge).Read(clock);
  if (ns) credentials.default_namespace = *ns;
  credentials.source = "in-cluster";
  return credentials;
}

}  // namespace

Surroundings ProcessSurroundings() {
  Surroundings surroundings;
  surroundings.getenv = [](std::string_view name) -> std::optional<std::string> {
    // Read while the program starts, before any thread that could change the environment.
    const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
  return surroundings;
}

Result<Credentials> ParseKubeconfig(std::string_view text, std::string_view directory,
                                    std::string_view context) {
  const auto root = ParseYaml(text);
  if (!root) return root.error();
  try {
    return ReadConfig(*root, directory, context);
  } catch (const YAML::Exception& e) {
    return InvalidAt(e.mark, e.msg);
  }
}

Result<Credentials> FindCredentials(std::string_view kubeconfig, std::string_view context,
                                    const Surroundings& surroundings) {
  const auto env = [&surroundings](std::string_view name) {
    return surroundings.getenv(name).value_or(std::string());
  };
  if (!kubeconfig.empty())
    return ReadKubeconfigFile(std::string(kubeconfig), "--kubeconfig", context);
  if (const std::string named = env("KUBECONFIG"); !named.empty()) {
    return ReadKubeconfigFile(named, "$KUBECONFIG", context);
  }
  const std::string host = env("KUBERNETES_SERVICE_HOST");
  const std::string port = env("KUBERNETES_SERVICE_PORT");
  if (!host.empty() && !port.empty()) {
    if (!context.empty()) {
      return Invalid(
          fmt::format("the context \"{}\" is asked for, but in-cluster credentials have no "
                      "contexts; name its kubeconfig with --kubeconfig",
                      context));
    }
    return InCluster(host, port, surroundings.service_account_dir);
  }
  const std::string home = env("HOME");
  const std::string file = home + "/.kube/config";
  if (!home.empty() && std::ifstream(file).good()) {
    return ReadKubeconfigFile(file, "~/.kube/config", context);
  }
  return Invalid(
      "no credentials for a Kubernetes API server: no --kubeconfig, no $KUBECONFIG, not in a "
      "cluster "
      "(no KUBERNETES_SERVICE_HOST), no ~/.kube/config; name a file with --kubeconfig FILE");
}

}  // namespace roster::kube
