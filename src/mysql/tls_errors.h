/* SPDX-License-Identifier: MIT */
/* Why TLS could not be made. What fails is remembered while it happens, because OpenSSL forgets the
 * certificate. */
#ifndef MYSQL_TLS_ERRORS_H
#define MYSQL_TLS_ERRORS_H

#include <openssl/x509.h>

#include <base/err.h>
#include <mysql/tls.h>

/* For SSL_CTX_set_verify(): changes nothing. */
int tls_why_verify(int good, X509_STORE_CTX *store);
/* Why the handshake failed, "2026 certificate is for db-1.example.com" and the like, with the hint. */
void tls_explain(SSL *ssl, int result, const struct tls_options *options, const char *server, struct err *e);

#endif
