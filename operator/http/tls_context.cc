#include "http/tls_context.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <vector>

namespace roster::http {
namespace {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

/// The oldest error of this thread's OpenSSL queue, which it empties.
std::string TakeOpenSslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "not understood";
}

Error Invalid(std::string message) {
  return {ErrorKind::kInvalid, std::move(message)};
}

BioPtr OpenText(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<std::vector<X509Ptr>> ParseCertificates(const std::string& pem, std::string_view what) {
  std::vector<X509Ptr> certificates;
  const BioPtr bio = OpenText(pem);
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string problem = TakeOpenSslError();
  if (!at_end) return Invalid(fmt::format("{}: a certificate cannot be read: {}", what, problem));
  if (certificates.empty()) return Invalid(fmt::format("{}: holds no certificate", what));
  return certificates;
}

Result<KeyPtr> ParseKey(const std::string& pem) {
  const BioPtr bio = OpenText(pem);
  bool encrypted = false;
  // Without a callback OpenSSL would ask for a passphrase on the terminal.
  const auto no_passphrase = [](char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
  };
  ERR_clear_error();
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &encrypted));
  const std::string problem = TakeOpenSslError();
  if (encrypted)
    return Invalid("client-key: is encrypted; Roster needs a key without a passphrase");
  if (!key) return Invalid("client-key: the key cannot be read: " + problem);
  return key;
}

bool IsAddress(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

/// "kubernetes, localhost, 10.0.0.1": what a certificate is valid for.
std::string NamesOf(X509* certificate) {
  std::vector<std::string> names;
  auto* const alternatives = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  const int count = alternatives != nullptr ? sk_GENERAL_NAME_num(alternatives) : 0;
  for (int i = 0; i < count && names.size() < 10; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS) {
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      char text[INET6_ADDRSTRLEN] = {};
      const int family = ASN1_STRING_length(name->d.iPAddress) == 4 ? AF_INET : AF_INET6;
      inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof(text));
      names.emplace_back(text);
    }
  }
  if (alternatives != nullptr) GENERAL_NAMES_free(alternatives);
  return names.empty() ? "no name at all" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

struct TlsContext::Material {
  // The texts they were made of, to see whether anything changed.
  std::string authority_pem;
  std::string certificate_pem;
  std::string key_pem;

  StorePtr store;                     ///< Null: the system's.
  std::vector<X509Ptr> certificates;  ///< Our own first, then its chain; may be empty.
  KeyPtr key;
};

struct TlsContext::Shared {
  std::string expected_name;
  bool is_address = false;
  Guarded<std::string> refusal;
};

// A connection lives as long as cpprestsdk wants it to, so each SSL_CTX holds its own share of
// Shared.
struct TlsContext::Callbacks {
  using Share = std::shared_ptr<Shared>;

  static int Index() {
    static const int index = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* share, CRYPTO_EX_DATA*, int, long, void*) {
          delete static_cast<Share*>(share);
        });
    return index;
  }

  static Shared* Of(const SSL* ssl) {
    auto* share = static_cast<Share*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), Index()));
    return share != nullptr ? share->get() : nullptr;
  }

  /// Before the ClientHello is written: also for the second address of a name, which no hook of
  /// cpprestsdk sees.
  static void OnProgress(const SSL* ssl, int where, int /*result*/) {
    const Shared* shared = Of(ssl);
    if ((where & SSL_CB_HANDSHAKE_START) == 0 || shared == nullptr || shared->is_address) return;
    SSL_set_tlsext_host_name(const_cast<SSL*>(ssl), shared->expected_name.c_str());
  }

  /// Verifies with OpenSSL's own name check, instead of the check against the request's Host header
  /// that cpprestsdk installs.
  static int Verify(X509_STORE_CTX* chain, void* /*unused*/) {
    X509_STORE_CTX_set_verify_cb(chain, [](int ok, X509_STORE_CTX*) { return ok; });
    const int verified = X509_verify_cert(chain);
    if (verified > 0) return verified;
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    if (Shared* shared = ssl != nullptr ? Of(ssl) : nullptr) {
      const int code = X509_STORE_CTX_get_error(chain);
      std::string why = X509_verify_cert_error_string(code);
      if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        why = fmt::format("the server's certificate is valid for {}, not for {}",
                          NamesOf(X509_STORE_CTX_get0_cert(chain)), shared->expected_name);
      }
      *shared->refusal.Lock() = why;
    }
    return verified;
  }
};

Result<std::shared_ptr<const TlsContext::Material>> TlsContext::Load(
    const kube::Credentials& credentials, const Clock& clock) {
  auto material = std::make_shared<Material>();
  const std::tuple<const kube::Secret&, std::string_view, std::string&> texts[] = {
      {credentials.certificate_authority, "certificate-authority", material->authority_pem},
      {credentials.client_certificate, "client-certificate", material->certificate_pem},
      {credentials.client_key, "client-key", material->key_pem}};
  for (const auto& [secret, what, target] : texts) {
    auto text = secret.Read(clock);
    if (!text) return Invalid(fmt::format("{}: {}", what, text.error().message));
    target = std::move(*text);
  }

  if (!material->authority_pem.empty()) {
    auto authorities = ParseCertificates(material->authority_pem, "certificate-authority");
    if (!authorities) return authorities.error();
    material->store.reset(X509_STORE_new());
    // What the file holds is trusted, be it a root or not: so do Go's clients.
    X509_STORE_set_flags(material->store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    for (const X509Ptr& authority : *authorities) {
      X509_STORE_add_cert(material->store.get(), authority.get());
    }
  }
  if (!material->certificate_pem.empty()) {
    auto certificates = ParseCertificates(material->certificate_pem, "client-certificate");
    if (!certificates) return certificates.error();
    auto key = ParseKey(material->key_pem);
    if (!key) return key.error();
    if (X509_check_private_key(certificates->front().get(), key->get()) != 1) {
      ERR_clear_error();
      return Invalid("client-key: does not belong to client-certificate");
    }
    material->certificates = std::move(*certificates);
    material->key = std::move(*key);
    // OpenSSL has a say of its own about what it would use (too short a key, say).
    const SslContextPtr trial(SSL_CTX_new(TLS_client_method()));
    if (SSL_CTX_use_certificate(trial.get(), material->certificates.front().get()) != 1) {
      return Invalid("client-certificate: cannot be used: " + TakeOpenSslError());
    }
  }
  return std::shared_ptr<const Material>(std::move(material));
}

Result<std::shared_ptr<TlsContext>> TlsContext::Make(const kube::Credentials& credentials,
                                                     const std::string& host, const Clock& clock) {
  auto material = Load(credentials, clock);
  if (!material) return material.error();
  auto shared = std::make_shared<Shared>();
  shared->expected_name = credentials.tls_server_name.empty() ? host : credentials.tls_server_name;
  shared->is_address = IsAddress(shared->expected_name);
  std::shared_ptr<TlsContext> context(new TlsContext(credentials, std::move(shared)));
  context->current_.Lock()->material = std::move(*material);
  return context;
}

bool TlsContext::Refresh(const Clock& clock) {
  if (!credentials_.certificate_authority.rotates() && !credentials_.client_certificate.rotates() &&
      !credentials_.client_key.rotates()) {
    return false;
  }
  const auto old = current_.Lock()->material;
  const auto unchanged = [&clock](const kube::Secret& secret, const std::string& text) {
    const auto now = secret.Read(clock);
    return !now || *now == text;
  };
  if (unchanged(credentials_.certificate_authority, old->authority_pem) &&
      unchanged(credentials_.client_certificate, old->certificate_pem) &&
      unchanged(credentials_.client_key, old->key_pem)) {
    return false;
  }
  auto fresh = Load(credentials_, clock);
  if (!fresh)
    return false;  // Half written, or certificate and key do not match yet: the next time.
  auto current = current_.Lock();
  if (current->material != old) return false;  // Another thread was first.
  current->material = std::move(*fresh);
  ++current->generation;
  return true;
}

uint64_t TlsContext::generation() const {
  return current_.Lock()->generation;
}

void TlsContext::Expire() const {
  credentials_.certificate_authority.Expire();
  credentials_.client_certificate.Expire();
  credentials_.client_key.Expire();
}

void TlsContext::Apply(SSL_CTX* context) const {
  const std::shared_ptr<const Material> material = current_.Lock()->material;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  if (material->store) SSL_CTX_set1_cert_store(context, material->store.get());
  if (!material->certificates.empty()) {
    SSL_CTX_use_certificate(context, material->certificates.front().get());
    SSL_CTX_clear_chain_certs(context);
    for (size_t i = 1; i < material->certificates.size(); ++i) {
      SSL_CTX_add1_chain_cert(context, material->certificates[i].get());
    }
    SSL_CTX_use_PrivateKey(context, material->key.get());
  }

  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context);
  if (shared_->is_address) {
    X509_VERIFY_PARAM_set1_ip_asc(expected, shared_->expected_name.c_str());
  } else {
    // As Go's clients: the subject's common name is no host name.
    X509_VERIFY_PARAM_set_hostflags(
        expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_VERIFY_PARAM_set1_host(expected, shared_->expected_name.data(),
                                shared_->expected_name.size());
  }
  SSL_CTX_set_ex_data(context, Callbacks::Index(), new Callbacks::Share(shared_));
  SSL_CTX_set_info_callback(context, &Callbacks::OnProgress);
  SSL_CTX_set_cert_verify_callback(context, &Callbacks::Verify, nullptr);
}

std::string TlsContext::LastRefusal() const {
  return *shared_->refusal.Lock();
}

}  // namespace roster::http
