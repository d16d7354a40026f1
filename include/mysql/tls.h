/* TLS to the endpoint: one context a process, made from the options before READY. */
#ifndef MYSQL_TLS_H
#define MYSQL_TLS_H

#include <openssl/ssl.h>

#include <base/err.h>

/* Reads authorities, client certificate and key, versions and ciphers. ERR_CONFIG with the file or key. */
int tls_prepare(struct err *e);
/* A connection over fd, in connect state, name and verification set. NULL: *e. */
SSL *tls_new(int fd, struct err *e);
/* A handshake failed: no session is taken up any more, in case that was the reason. */
void tls_failed(void);
/* Why the handshake failed, "2026 certificate is for db-1.example.com" and the like, with the hint. */
void tls_explain(SSL *ssl, int result, struct err *e);

#endif
