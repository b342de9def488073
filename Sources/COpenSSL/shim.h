#pragma once
// The parts of OpenSSL 3 that Mooring calls: MAC, random bytes, constant-time compare, TLS; and what
// Swift cannot import, macros with casts, as constants and inline functions of the same meaning.
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// No renegotiation, so that a handshake happens once, and no compression (CRIME). Our order of ciphers
// counts, save that who puts ChaCha20 first has no AES in hardware and gets it. kTLS where the kernel
// has it. SSL_OP_IGNORE_UNEXPECTED_EOF is left out: a stream that was cut off is an error.
static const uint64_t mooring_ssl_options =
    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
    SSL_OP_PRIORITIZE_CHACHA | SSL_OP_ENABLE_KTLS;

// A send takes what fits and may go on from another place of memory; an idle connection holds no
// record buffers; a server sends the chain that its file holds and does not make one up at each
// handshake.
static const long mooring_ssl_modes = SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN;

static inline int mooring_ssl_versions(SSL_CTX *context, int lowest) {
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
           SSL_CTX_set_max_proto_version(context, 0) == 1;
}
static inline void mooring_ssl_set_modes(SSL_CTX *context, long set, long cleared) {
    SSL_CTX_set_mode(context, set);
    SSL_CTX_clear_mode(context, cleared);
}
static inline int mooring_ssl_groups(SSL_CTX *context, const char *names) {
    return (int)SSL_CTX_set1_groups_list(context, names);
}
static inline void mooring_ssl_no_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline void mooring_ssl_read_ahead(SSL_CTX *context) {
    SSL_CTX_set_read_ahead(context, 1);
}
static inline int mooring_ssl_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void mooring_ssl_on_server_name(SSL_CTX *context,
                                              int (*chosen)(SSL *, int *, void *)) {
    SSL_CTX_set_tlsext_servername_callback(context, chosen);
}
static inline int mooring_ssl_context_index(CRYPTO_EX_free *freed) {
    return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, freed);
}
static inline int mooring_ssl_ask_for(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline int mooring_ssl_uses_ktls(SSL *ssl) {
    BIO *bio = SSL_get_wbio(ssl);
    return bio != NULL && BIO_get_ktls_send(bio);
}

// The names of a certificate's subjectAltName; NULL for a name of another kind than DNS.
static inline int mooring_x509_name_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}
static inline const ASN1_STRING *mooring_x509_dns_name(const GENERAL_NAMES *names, int index) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    return name != NULL && name->type == GEN_DNS ? name->d.dNSName : NULL;
}
static inline GENERAL_NAMES *mooring_x509_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
static inline void mooring_x509_names_free(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }

// How a name is printed: RFC 2253, with control characters escaped.
static const unsigned long mooring_x509_rfc2253 = XN_FLAG_RFC2253;
