/* SPDX-License-Identifier: MIT */
/* For tests of TLS: generated certificates, their files, and a server in the same process. */
#ifndef TESTS_TLS_FIXTURE_H
#define TESTS_TLS_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <mysql/tls.h>
#include <mysql/tls_errors.h>

#define DAY (24 * 60 * 60L)

/* tls_prepare() never frees a context, because a process needs only one; the tests create many. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

struct made {
    X509 *cert;
    EVP_PKEY *key;
};

static char folder[] = "/tmp/broker-tls-XXXXXX";
static struct tls_options options;

static void extend(X509 *cert, int what, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, NULL, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Generates a certificate for `name` ("": no common name) and the subject alternative names `sans`, for
 * example "DNS:a,IP:127.0.0.1" (NULL: none), signed by `issuer` (NULL: self-signed, and a CA certificate if
 * it has no `sans`); valid from `from` to `to` seconds from now. */
static struct made make_for(const struct made *issuer, const char *name, const char *sans, long from, long to)
{
    static long serial;
    struct made made = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};
    X509_NAME *subject = X509_get_subject_name(made.cert);

    assert_int_equal(X509_set_version(made.cert, 2), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), from);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), to);
    if (*name)
        assert_int_equal(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                                    (const unsigned char *)name, -1, -1, 0),
                         1);
    X509_set_issuer_name(made.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
    X509_set_pubkey(made.cert, made.key);
    if (sans)
        extend(made.cert, NID_subject_alt_name, sans);
    else if (!issuer)
        extend(made.cert, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(made.cert, issuer ? issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

static inline struct made make(const struct made *issuer, const char *name, const char *sans)
{
    return make_for(issuer, name, sans, -DAY, DAY);
}

/* Appends the certificate and the key to a file. Either may be NULL. The key is encrypted if there is a
 * passphrase. */
static void put(const char *name, const X509 *cert, EVP_PKEY *key, const char *passphrase)
{
    FILE *file = fopen(name, "ae");

    assert_non_null(file);
    if (cert)
        assert_int_equal(PEM_write_X509(file, cert), 1);
    if (key)
        assert_int_equal(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL,
                                              (void *)(uintptr_t)passphrase),
                         1);
    assert_int_equal(fclose(file), 0);
}

static inline void put_text(const char *name, const char *text)
{
    FILE *file = fopen(name, "ae");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Creates an empty folder and makes it the current one. */
static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/broker-tls-XXXXXX");
    options = (struct tls_options){
        .level = KEEPER_TLS_NAME, .name = (char *)(uintptr_t) "db.test", .ca = (char *)(uintptr_t) "ca"};
    ERR_clear_error();
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int end(void **state)
{
    AUTO_FREE(char *, command);

    (void)state;
    command = mem_printf("rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

/* Returns the error as the user sees it. */
static const char *error_text(const struct err *e)
{
    static char text[sizeof *e];

    (void)snprintf(text, sizeof text, "%s\n%shint: %s", e->msg, e->detail, e->hint);
    return text;
}

/* Returns the context of a server with this certificate. */
static inline SSL_CTX *server_with(const struct made *made)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_use_certificate(context, made->cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, made->key), 1);
    return context;
}

/* The two ends of a connection; `sni` is the server name that the client has sent. */
struct both {
    SSL *client, *server;
    int fd[2];
    char sni[256];
};

static int note_sni(SSL *ssl, int *alert, void *to)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)snprintf(to, sizeof((struct both *)NULL)->sni, "%s", name ? name : "");
    return SSL_TLSEXT_ERR_OK;
}

static void close_both(struct both *b)
{
    if (SSL_is_init_finished(b->client))
        (void)SSL_shutdown(b->client); /* otherwise OpenSSL drops the session */
    SSL_free(b->client);
    SSL_free(b->server);
    (void)close(b->fd[0]);
    (void)close(b->fd[1]);
}

/* Does a handshake between a client from tls_new() and this server. If `server` is NULL, the client gets the
 * `n` bytes and end of file instead. Returns 0, or -1 with the error from tls_explain(). */
static int handshake_or_raw(struct both *b, SSL_CTX *server, const char *bytes, size_t n, struct err *e)
{
    int done = 0, accepted = 0;

    *b = (struct both){.sni = "?"};
    err_clear(e);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, b->fd), 0);
    b->client = tls_new(b->fd[0], e);
    assert_non_null(b->client);
    if (server) {
        SSL_CTX_set_tlsext_servername_callback(server, note_sni);
        SSL_CTX_set_tlsext_servername_arg(server, b->sni);
        b->server = SSL_new(server);
        assert_int_equal(SSL_set_fd(b->server, b->fd[1]), 1);
        SSL_set_accept_state(b->server);
    } else {
        assert_int_equal(write(b->fd[1], bytes, n), n);
        assert_int_equal(shutdown(b->fd[1], SHUT_WR), 0);
    }
    for (int i = 0; i < 100 && (done != 1 || accepted != 1); i++) {
        done = SSL_do_handshake(b->client);
        if (done != 1 && SSL_get_error(b->client, done) != SSL_ERROR_WANT_READ) {
            tls_explain(b->client, done, &options, "db:3306", e);
            return -1;
        }
        accepted = b->server ? SSL_do_handshake(b->server) : 0;
        ERR_clear_error();
    }
    assert_int_equal(done, 1);
    assert_int_equal(accepted, 1);
    char byte = 'x'; /* the client reads the server's session tickets before it */
    assert_int_equal(SSL_write(b->server, &byte, 1), 1);
    assert_int_equal(SSL_read(b->client, &byte, 1), 1);
    return 0;
}

static inline int handshake(struct both *b, SSL_CTX *server, struct err *e)
{
    return handshake_or_raw(b, server, "", 0, e);
}

/* Does a handshake and closes the connection. Returns the TLS version, "TLSv1.3", or the error's text. */
static inline const char *handshake_result(SSL_CTX *server, struct err *e)
{
    struct both b;
    int status = handshake(&b, server, e);
    const char *result = status < 0 ? error_text(e) : SSL_get_version(b.client);

    close_both(&b);
    return result;
}

#endif
