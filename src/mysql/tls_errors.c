/* SPDX-License-Identifier: MIT */
/*
 * Explains why TLS with the server failed. Text in a certificate is untrusted, so it is sanitised and
 * bounded. The last failure is static, because the only thread explains it in the same call in which the
 * handshake fails.
 */
#include "tls_errors.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include <base/buf.h>
#include <base/mem.h>
#include <base/text.h>

#define NAMES_MOST 4
#define NAME_MOST 200
#define HOST_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:"
#define CHECK_CA "set tls_ca to the certificate of the CA that signed the server's certificate"
#define NOT_BY_CA "certificate is from a CA that is not in {ca}", "it names {issuer}", CHECK_CA, NULL
#define NOT_FOR_NAME                                                                                         \
    "certificate is not valid for {name}", "it names {names}",                                               \
        "check host; if the server is right, ask for a certificate with that name"
#define CHECK_CLOCK "renew it on the server; or correct this machine's clock"

static struct {
    int error;
    char subject[NAME_MOST], issuer[NAME_MOST], end[64];
    char first[NAME_MOST];                    /* the first of the certificate's names */
    char names[NAMES_MOST * (NAME_MOST + 4)]; /* all names, "a, b, ..." */
} failed;

static void clean(char *to, size_t size, const char *text, size_t n)
{
    AUTO_BUF(shown, 4096);

    text_sanitise_line(&shown, text, n < NAME_MOST ? n : NAME_MOST);
    (void)snprintf(to, size, "%s", buf_str(&shown));
}

static void common_name(char *to, size_t size, const X509_NAME *of)
{
    int at = X509_NAME_get_index_by_NID(of, NID_commonName, -1);
    const X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(of, at);
    const ASN1_STRING *text = entry ? X509_NAME_ENTRY_get_data(entry) : NULL;

    if (text)
        clean(to, size, (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
}

static void add_name(struct buf *names, unsigned *count, const char *text, size_t n)
{
    char name[NAME_MOST];

    if (*count < NAMES_MOST) {
        clean(name, sizeof name, text, n);
        if (*count == 0 && *name == '*')
            (void)snprintf(failed.first, sizeof failed.first, "NAME%.*s", NAME_MOST - 8, name + 1);
        else if (*count == 0)
            memcpy(failed.first, name, sizeof name);
        buf_printf(names, "%s%s", names->len ? ", " : "", name);
    } else if (*count == NAMES_MOST) {
        buf_puts(names, ", ...");
    }
    ++*count;
}

static void add_address(struct buf *names, unsigned *count, const ASN1_OCTET_STRING *bytes)
{
    int n = ASN1_STRING_length(bytes);
    char text[INET6_ADDRSTRLEN];

    if ((n == 4 || n == 16) &&
        inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text, sizeof text))
        add_name(names, count, text, strlen(text));
}

/* RFC 6125 section 6.4.4: the common name counts only if there are no subject alternative names. */
static void read_names(const X509 *cert)
{
    AUTO_BUF(names, sizeof failed.names - 1);
    GENERAL_NAMES *list = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    unsigned count = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        if (name->type == GEN_DNS)
            add_name(&names, &count, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                     (size_t)ASN1_STRING_length(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            add_address(&names, &count, name->d.iPAddress);
    }
    GENERAL_NAMES_free(list);
    if (count == 0 && *failed.subject)
        add_name(&names, &count, failed.subject, strlen(failed.subject));
    if (strspn(failed.first, HOST_CHARACTERS) != strlen(failed.first))
        failed.first[0] = '\0';
    if (count == 0)
        buf_puts(&names, "no host");
    memcpy(failed.names, buf_str(&names), names.len + 1);
}

static void read_end(const X509 *cert)
{
    struct tm at;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &at) == 1)
        (void)strftime(failed.end, sizeof failed.end, "%Y-%m-%d", &at);
}

/* Returns the first error apart from the name, or 0 if the chain is valid. Needed because OpenSSL compares
 * the name before it checks the signatures. */
static int chain_error(X509_STORE_CTX *store, X509 *leaf)
{
    X509_STORE_CTX *again = X509_STORE_CTX_new();
    int error = X509_V_ERR_UNSPECIFIED;

    if (again &&
        X509_STORE_CTX_init(again, X509_STORE_CTX_get0_store(store), leaf,
                            X509_STORE_CTX_get0_untrusted(store)) == 1 &&
        X509_STORE_CTX_set_default(again, "ssl_server") == 1)
        error = X509_verify_cert(again) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(again);
    X509_STORE_CTX_free(again);
    return error;
}

int tls_why_verify(int good, X509_STORE_CTX *store)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    const X509 *at = X509_STORE_CTX_get_current_cert(store);

    if (good)
        return good;
    memset(&failed, 0, sizeof failed);
    failed.error = X509_STORE_CTX_get_error(store);
    if (failed.error == X509_V_ERR_HOSTNAME_MISMATCH || failed.error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        int chain = chain_error(store, leaf);
        failed.error = chain ? chain : failed.error;
    }
    if (at) {
        common_name(failed.subject, sizeof failed.subject, X509_get_subject_name(at));
        common_name(failed.issuer, sizeof failed.issuer, X509_get_issuer_name(at));
        read_end(at);
    }
    if (leaf)
        read_names(leaf);
    return good;
}

/*
 * Messages may contain {name} {names} {first} {subject} {issuer} {end} {ca} {reason}. The last row is for all
 * other errors. Text from the certificate is used only in `detail`. `own` is the hint if the chain is valid
 * with the profile's own CA certificates; with public ones anyone can get a certificate.
 */
static const struct row {
    int error;
    const char *words, *detail, *hint, *own;
} certificate_rows[] = {
    {X509_V_ERR_HOSTNAME_MISMATCH, NOT_FOR_NAME, "host = {first}"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, NOT_FOR_NAME, "host = {first}"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "certificate has expired on {end}", "it is for {subject}", CHECK_CLOCK,
     NULL},
    {X509_V_ERR_CERT_NOT_YET_VALID, "certificate is not valid yet", "it is for {subject}", CHECK_CLOCK, NULL},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate is self-signed, and not in {ca}",
     "it is for {subject}", "set tls_ca to a copy of it that you got in a safe way", NULL},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, NOT_BY_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, NOT_BY_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, NOT_BY_CA},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, NOT_BY_CA},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate is not signed by the CA in {ca} that it names",
     "it names {issuer}", CHECK_CA, NULL},
    {0, "certificate: {reason}", NULL, CHECK_CA, NULL},
};

/* Messages for other failures of a handshake, by OpenSSL's reason. */
static const struct row handshake_rows[] = {
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server supports no TLS version that tls_version allows", NULL,
     "set tls_version = TLSv1.2,TLSv1.3, or upgrade the server", NULL},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server supports no TLS version that tls_version allows", NULL,
     "set tls_version = TLSv1.2,TLSv1.3, or upgrade the server", NULL},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the server has no cipher in common with broker", NULL,
     "check tls_ciphers and tls_version", NULL},
    {SSL_R_WRONG_VERSION_NUMBER, "the server does not speak TLS", NULL, "check host and port", NULL},
    {0, "TLS: {reason}", NULL, "check that it is a MySQL server; its own log may say more", NULL},
};

static void fill(const struct row *rows, int error, const char *reason, const struct tls_options *options,
                 struct err *e)
{
    const char *const names[] = {"name", "names", "first", "subject", "issuer", "end", "ca", "reason", NULL};
    const char *const values[] = {options->name,
                                  failed.names,
                                  failed.first,
                                  failed.subject,
                                  failed.issuer,
                                  failed.end,
                                  options->ca ? options->ca : "tls_ca",
                                  reason,
                                  NULL};
    AUTO_BUF(words, sizeof e->msg);
    AUTO_BUF(detail, sizeof e->detail);
    AUTO_BUF(hint, sizeof e->hint);

    while (rows->error && rows->error != error)
        rows++;
    text_fill(&words, rows->words, names, values);
    text_fill(&hint, rows->own && *failed.first && options->ca_own ? rows->own : rows->hint, names, values);
    (void)err_set_numbered(e, ERR_UNREACHABLE, 2026, "%s", buf_str(&words));
    if (rows->detail) {
        text_fill(&detail, rows->detail, names, values);
        (void)err_detail(e, "%s", buf_str(&detail));
    }
    (void)err_hint(e, "%s", buf_str(&hint));
}

void tls_explain(SSL *ssl, int result, const struct tls_options *options, const char *server, struct err *e)
{
    int why = SSL_get_error(ssl, result), reason = ERR_GET_REASON(ERR_peek_error());
    const char *text = ERR_reason_error_string(ERR_peek_error());

    if (why == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2013,
                               "%s: the server closed the connection during the TLS handshake", server);
        (void)err_hint(e, "check tls_version; the server's own log may say more");
    } else if (failed.error) {
        fill(certificate_rows, failed.error, X509_verify_cert_error_string(failed.error), options, e);
    } else {
        fill(handshake_rows, reason, text ? text : "the handshake failed", options, e);
    }
    memset(&failed, 0, sizeof failed);
    ERR_clear_error();
}
