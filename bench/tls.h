// OpenSSL's TLS 1.3, to be measured beside: what owns its objects, and a server with a certificate of its own making.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>

namespace pake::bench {

inline void require(bool done) {
  if (!done) std::abort();
}

template <auto free>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
template <class T, auto free>
using Owned = std::unique_ptr<T, Free<free>>;
using Context = Owned<SSL_CTX, SSL_CTX_free>;
using Session = Owned<SSL, SSL_free>;

/// A client that trusts the server's one certificate, which is for example.org: one signature, one verification, no
/// chain; X25519, no tickets.
struct TlsContexts {
  TlsContexts() : client(SSL_CTX_new(TLS_client_method())), server(SSL_CTX_new(TLS_server_method())) {
    const Owned<EVP_PKEY, EVP_PKEY_free> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const Owned<X509, X509_free> certificate(X509_new());
    auto* name = X509_get_subject_name(certificate.get());
    const auto* text = reinterpret_cast<const unsigned char*>("example.org");
    require(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
    require(X509_set_issuer_name(certificate.get(), name) == 1);
    require(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600) != nullptr);
    require(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400) != nullptr);
    require(X509_set_pubkey(certificate.get(), key.get()) == 1);
    require(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);
    require(SSL_CTX_use_certificate(server.get(), certificate.get()) == 1);
    require(SSL_CTX_use_PrivateKey(server.get(), key.get()) == 1);
    require(X509_STORE_add_cert(SSL_CTX_get_cert_store(client.get()), certificate.get()) == 1);
    SSL_CTX_set_verify(client.get(), SSL_VERIFY_PEER, nullptr);
    int group = NID_X25519;
    for (auto* context : {client.get(), server.get()}) {
      require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
      require(SSL_CTX_set1_groups(context, &group, 1) == 1);
      require(SSL_CTX_set_num_tickets(context, 0) == 1);
    }
  }

  Context client, server;
};

}  // namespace pake::bench
