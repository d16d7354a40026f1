/*
 * Why TLS with the server failed. A certificate's texts come from outside: they are cleaned and bounded. What
 * failed last is static: the handshake fails, and is explained, in one call of the only thread.
 */
#include "tls_why.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include <base/buf.h>
#include <base/mem.h>
#include <base/text.h>

#include "keeper.h"
#include "tls.h"

#define NAMES_MOST 4
#define NAME_MOST 200
#define CHECK_CA "tls_ca = the file of the authority that has signed the server's certificate"
#define CHECK_CLOCK "have it renewed on the server; or this machine's clock is wrong"

static struct {
    int error;
    char subject[NAME_MOST], issuer[NAME_MOST], end[64];
    char first[NAME_MOST];                    /* of its names */
    char names[NAMES_MOST * (NAME_MOST + 4)]; /* "a, b, ..." */
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

/* RFC 6125 section 6.4.4: the common name counts only where there are no names of the other kind. */
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
    if (count == 0)
        add_name(&names, &count, "NOBODY", strlen("NOBODY"));
    memcpy(failed.names, buf_str(&names), names.len + 1);
}

static void read_end(const X509 *cert)
{
    struct tm at;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &at) == 1)
        (void)strftime(failed.end, sizeof failed.end, "%Y-%m-%d", &at);
}

int tls_why_verify(int good, X509_STORE_CTX *store)
{
    const X509 *leaf = X509_STORE_CTX_get0_cert(store), *at = X509_STORE_CTX_get_current_cert(store);

    if (good)
        return good;
    memset(&failed, 0, sizeof failed);
    failed.error = X509_STORE_CTX_get_error(store);
    if (at) {
        common_name(failed.subject, sizeof failed.subject, X509_get_subject_name(at));
        common_name(failed.issuer, sizeof failed.issuer, X509_get_issuer_name(at));
        read_end(at);
    }
    if (leaf)
        read_names(leaf);
    return good;
}

/* {names} {first} {subject} {issuer} {end} {ca} {reason}. The last row is for all others. */
static const struct row {
    int error;
    const char *words, *hint;
} certificate_rows[] = {
    {X509_V_ERR_HOSTNAME_MISMATCH, "certificate is for {names}",
     "host = {first}, or tls = verify-ca: any name of that CA"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "certificate is for {names}",
     "host = {first}, or tls = verify-ca: any name of that CA"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "certificate of {subject} has expired on {end}", CHECK_CLOCK},
    {X509_V_ERR_CERT_NOT_YET_VALID, "certificate of {subject} is not valid yet", CHECK_CLOCK},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate is self-signed, and not in {ca}",
     "tls_ca = a copy of it, got from the server by another way"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate is by {issuer}, which {ca} does not have", CHECK_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate is by {issuer}, which {ca} does not have",
     CHECK_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "certificate is by {issuer}, which {ca} does not have", CHECK_CA},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "certificate is by {issuer}, which {ca} does not have",
     CHECK_CA},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate is not by the {issuer} of {ca}", CHECK_CA},
    {0, "certificate: {reason}", CHECK_CA},
};

/* The same for what ends a handshake otherwise, by OpenSSL's reason. */
static const struct row handshake_rows[] = {
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server has no version of TLS that tls_version allows",
     "tls_version = TLSv1.2,TLSv1.3, or a newer server"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server has no version of TLS that tls_version allows",
     "tls_version = TLSv1.2,TLSv1.3, or a newer server"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the server has no cipher in common with this end",
     "check tls_ciphers and tls_version"},
    {SSL_R_WRONG_VERSION_NUMBER, "what answered does not speak TLS", "check host and port"},
    {0, "TLS: {reason}", "check that it is a MySQL server; its own log may say more"},
};

static void fill(const struct row *rows, int error, const char *reason, struct err *e)
{
    const char *const names[] = {"names", "first", "subject", "issuer", "end", "ca", "reason", NULL};
    const char *const values[] = {failed.names,  failed.first, failed.subject,
                                  failed.issuer, failed.end,   opt.tls_ca ? opt.tls_ca : "tls_ca",
                                  reason,        NULL};
    AUTO_BUF(words, sizeof e->msg);
    AUTO_BUF(hint, sizeof e->hint);

    while (rows->error && rows->error != error)
        rows++;
    text_fill(&words, rows->words, names, values);
    text_fill(&hint, rows->hint, names, values);
    (void)err_set(e, ERR_UNREACHABLE, "2026 %s", buf_str(&words));
    (void)err_hint(e, "%s", buf_str(&hint));
}

void tls_explain(SSL *ssl, int result, struct err *e)
{
    int why = SSL_get_error(ssl, result), reason = ERR_GET_REASON(ERR_peek_error());
    const char *text = ERR_reason_error_string(ERR_peek_error());

    tls_failed();
    if (why == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        (void)err_set(e, ERR_UNREACHABLE, "2013 %s: the server went away in the TLS handshake",
                      options_endpoint());
        (void)err_hint(e, "check tls_version; the server's own log may say more");
    } else if (failed.error) {
        fill(certificate_rows, failed.error, X509_verify_cert_error_string(failed.error), e);
    } else {
        fill(handshake_rows, reason, text ? text : "the handshake failed", e);
    }
    memset(&failed, 0, sizeof failed);
    ERR_clear_error();
}
