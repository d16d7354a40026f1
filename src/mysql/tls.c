/* SPDX-License-Identifier: MIT */
/*
 * The TLS context, and errors of the handshake that name the key to change. TLS is configured as the MySQL
 * clients do with the same keys, but for the endpoint's real name: it does not trust anything else, and never
 * falls back to a lower level after a failure.
 */
#include <mysql/tls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/mem.h>
#include <base/text.h>

#include "tls_pem.h"
#include "tls_errors.h"

/* Reads several TLS records at once: a result set arrives in records of 16 KiB. */
#define READ_AHEAD (64 * 1024)

/* A CA file with more certificates than this is assumed to be a copy of the public list. */
#define OWN_CA_MOST 8

static SSL_CTX *context;
static struct tls_options *options;
static bool key_is_locked;

/* The server's last session, resumed by the next connection to the same address. Its certificate was verified
 * for the same name by the same context, and only a server that has the session's secret can resume it. After
 * a failover another server answers, and its certificate is verified. */
static SSL_SESSION *session;
static struct sockaddr_storage session_of;
static bool resumes = true;

/* Names as in the clients' options; `off` is 0 for old versions, which are not supported (RFC 8996). */
static const struct version {
    const char *name;
    uint64_t off;
} versions[] = {
    {"TLSv1.3", SSL_OP_NO_TLSv1_3},
    {"TLSv1.2", SSL_OP_NO_TLSv1_2},
    {"TLSv1.1", 0},
    {"TLSv1", 0},
};

/* A channel of an SSH tunnel has no peer address: all bytes but the family are zero. */
static void peer_of(int fd, struct sockaddr_storage *peer)
{
    socklen_t n = sizeof *peer;

    memset(peer, 0, sizeof *peer);
    (void)getpeername(fd, (struct sockaddr *)peer, &n);
}

static int keep_session(SSL *ssl, SSL_SESSION *given)
{
    SSL_SESSION_free(session);
    session = given;
    peer_of(SSL_get_fd(ssl), &session_of);
    return 1;
}

static bool may_resume(int fd)
{
    struct sockaddr_storage peer;

    peer_of(fd, &peer);
    return session && resumes && memcmp(&peer, &session_of, sizeof peer) == 0;
}

void tls_established(SSL *ssl)
{
    (void)SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

void tls_failed(void)
{
    resumes = resumes && !session;
    SSL_SESSION_free(session);
    session = NULL;
}

/* A passphrase callback that never asks the user. */
static int no_passphrase(char *to, int size, int writes, void *data)
{
    (void)to;
    (void)size;
    (void)writes;
    (void)data;
    key_is_locked = true;
    return -1;
}

static int bad_file(const char *key, const char *path, const char *words, struct err *e)
{
    ERR_clear_error();
    (void)err_set(e, ERR_CONFIG, "%s %s: %s", key, path, access(path, R_OK) < 0 ? strerror(errno) : words);
    return err_hint(e, "set %s to a PEM file that you can read", key);
}

static int bad_certificates(const char *key, const char *path, const char *words, struct err *e)
{
    AUTO_FREE(char *, broken);

    broken = tls_pem_broken(path);
    (void)bad_file(key, path, broken ? broken : words, e);
    return broken ? err_hint(e, "repair it, or remove it from the file") : -1;
}

static int load_ca_certs(struct err *e)
{
    if (options->level <= KEEPER_TLS_ENCRYPT)
        return 0;
    if (!options->ca)
        return err_set(e, ERR_CONFIG, "no tls_ca to verify the server's certificate with");
    if (SSL_CTX_load_verify_file(context, options->ca) != 1)
        return bad_certificates("tls_ca", options->ca, "no certificates in it", e);
    const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    options->ca_own = options->ca_own && sk_X509_OBJECT_num(all) <= OWN_CA_MOST;
    return 0;
}

/* As in the MySQL clients: without a key file, the key is in the certificate's file. */
static int load_own(struct err *e)
{
    const char *cert = options->cert, *key = options->key ? options->key : cert;

    if (!cert && !key)
        return 0;
    if (!cert) {
        (void)err_set(e, ERR_CONFIG, "tls_key without tls_cert");
        return err_hint(e, "set tls_cert to the certificate of that key");
    }
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return bad_certificates("tls_cert", cert, "no certificate in it", e);
    bool taken = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
    /* OpenSSL stores keys by type; if the key has another type than the certificate, the certificate would
     * not be sent. */
    if (taken && SSL_CTX_check_private_key(context) == 1)
        return 0;
    if (key_is_locked) {
        (void)bad_file("tls_key", key, "it has a passphrase", e);
        return err_hint_sh(e, "openssl pkey -in %s -out KEY, chmod 600 KEY, and set tls_key = KEY", key);
    }
    if (taken || ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
        (void)bad_file("tls_key", key, "it is not the key of tls_cert", e);
        (void)err_detail(e, "tls_cert %s", cert);
        return err_hint(e, "set tls_cert and tls_key to a pair");
    }
    return bad_file("tls_key", key, "no private key in it", e);
}

static const struct version *version_find(const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        if (strlen(versions[i].name) == n && strncmp(versions[i].name, name, n) == 0)
            return &versions[i];
    }
    return NULL;
}

static int set_versions(struct err *e)
{
    uint64_t off = SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;
    const char *at = options->version ? options->version : "TLSv1.2,TLSv1.3";

    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    for (;;) {
        at += strspn(at, ", ");
        size_t n = strcspn(at, ", ");
        const struct version *v = version_find(at, n);
        if (n == 0)
            break;
        if (!v) {
            (void)err_set(e, ERR_CONFIG, "tls_version %s: no such version", options->version);
            return err_hint(e, "tls_version = TLSv1.2,TLSv1.3");
        }
        off &= ~v->off;
        at += n;
    }
    if (off == (SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3)) {
        (void)err_set(e, ERR_CONFIG, "tls_version %s: too old", options->version);
        return err_hint(e, "tls_version = TLSv1.2,TLSv1.3");
    }
    (void)SSL_CTX_set_options(context, off);
    return 0;
}

/* The cipher names of TLS 1.3 begin with TLS_ and form a list of their own; a version without any names keeps
 * its defaults. */
static int set_ciphers(struct err *e)
{
    AUTO_BUF(old, 8192);
    AUTO_BUF(new, 8192);

    for (const char *at = options->ciphers ? options->ciphers : ""; *at;) {
        size_t n = strcspn(at, ":, ");
        struct buf *to = strncmp(at, "TLS_", 4) == 0 ? &new : &old;
        if (n)
            buf_printf(to, "%s%.*s", to->len ? ":" : "", (int)n, at);
        at += n + (at[n] != '\0');
    }
    if (buf_ok(&old) && buf_ok(&new) && (!old.len || SSL_CTX_set_cipher_list(context, buf_str(&old)) == 1) &&
        (!new.len || SSL_CTX_set_ciphersuites(context, buf_str(&new)) == 1))
        return 0;
    ERR_clear_error();
    (void)err_set(e, ERR_CONFIG, "tls_ciphers %s: no cipher that this OpenSSL has", options->ciphers);
    return err_hint(e, "openssl ciphers -s lists them");
}

int tls_prepare(struct tls_options *given, struct err *e)
{
    bool verifies = given->level > KEEPER_TLS_ENCRYPT;

    options = given;
    (void)unsetenv("SSLKEYLOGFILE"); /* OpenSSL from 3.5 on may write session keys there */
    context = SSL_CTX_new(TLS_client_method());
    if (!context)
        return err_set(e, ERR_BUG, "OpenSSL: %s", ERR_reason_error_string(ERR_get_error()));
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
    SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       verifies ? tls_why_verify : NULL);
    if (options->level == KEEPER_TLS_NAME && !options->name)
        return err_set(e, ERR_CONFIG, "no name to verify the server's certificate with");
    if (set_versions(e) < 0 || set_ciphers(e) < 0 || load_ca_certs(e) < 0 || load_own(e) < 0)
        return -1;
    return 0;
}

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* RFC 6066 section 3: an IP address is not allowed as a server name. */
static bool set_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
    bool address = is_address(name);

    if (!address && SSL_set_tlsext_host_name(ssl, name) != 1)
        return false;
    if (options->level != KEEPER_TLS_NAME)
        return true;
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return (address ? X509_VERIFY_PARAM_set1_ip_asc(verify, name)
                    : X509_VERIFY_PARAM_set1_host(verify, name, 0)) == 1;
}

SSL *tls_new(int fd, struct err *e)
{
    SSL *ssl = SSL_new(context);

    if (!ssl || SSL_set_fd(ssl, fd) != 1 || (options->name && !set_name(ssl, options->name))) {
        SSL_free(ssl);
        (void)err_set(e, ERR_BUG, "OpenSSL: %s", ERR_reason_error_string(ERR_get_error()));
        ERR_clear_error();
        return NULL;
    }
    if (may_resume(fd))
        (void)SSL_set_session(ssl, session);
    SSL_set_connect_state(ssl);
    return ssl;
}
