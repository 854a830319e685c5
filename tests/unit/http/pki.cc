#include "unit/http/pki.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

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

void Check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed while a test's certificates were made");
}

std::string Text(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string ToPem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return Text(bio);
}

std::string ToPem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return Text(bio);
}

X509Ptr ReadCertificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

KeyPtr ReadKey(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

/// Without an issuer: signed by itself, an authority.
Identity Make(const std::string& common_name, const std::vector<std::string>& names,
              const Identity* issuer) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  Check(key != nullptr);
  const X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  uint64_t serial = 0;
  Check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1U);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);

  const X509Ptr issuer_certificate = issuer ? ReadCertificate(issuer->certificate) : nullptr;
  const KeyPtr issuer_key = issuer ? ReadKey(issuer->key) : nullptr;
  X509* signer = issuer ? issuer_certificate.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  AddExtension(certificate.get(), signer, NID_basic_constraints,
               issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  AddExtension(certificate.get(), signer, NID_subject_key_identifier, "hash");
  if (issuer) AddExtension(certificate.get(), signer, NID_ext_key_usage, "serverAuth,clientAuth");
  std::string alternatives;
  for (const std::string& name : names) alternatives += (alternatives.empty() ? "" : ",") + name;
  if (!names.empty()) AddExtension(certificate.get(), signer, NID_subject_alt_name, alternatives);
  Check(X509_sign(certificate.get(), issuer ? issuer_key.get() : key.get(), EVP_sha256()) > 0);
  return {ToPem(certificate.get()), ToPem(key.get())};
}

}  // namespace

Authority::Authority(const std::string& common_name) : identity_(Make(common_name, {}, nullptr)) {}

Identity Authority::Issue(const LeafOptions& options) const {
  return Make(options.common_name, options.names, &identity_);
}

std::string EncryptKey(const std::string& key) {
  const KeyPtr plain = ReadKey(key);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  unsigned char passphrase[] = "secret";
  Check(PEM_write_bio_PrivateKey(bio.get(), plain.get(), EVP_aes_128_cbc(), passphrase, 6, nullptr,
                                 nullptr) == 1);
  return Text(bio);
}

}  // namespace roster::http
