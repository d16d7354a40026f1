/* SPDX-License-Identifier: MIT */
/* Explains why a TLS handshake failed. The reason is stored during the handshake, because OpenSSL does not
 * keep the certificate. */
#ifndef MYSQL_TLS_ERRORS_H
#define MYSQL_TLS_ERRORS_H

#include <openssl/x509.h>

#include <base/err.h>
#include <mysql/tls.h>

/* A callback for SSL_CTX_set_verify(); it stores the reason and does not change the result. */
int tls_why_verify(int good, X509_STORE_CTX *store);
/* Sets the error of a failed handshake, for example "2026 certificate is for db-1.example.com", with a
 * hint. */
void tls_explain(SSL *ssl, int result, const struct tls_options *options, const char *server, struct err *e);

#endif
