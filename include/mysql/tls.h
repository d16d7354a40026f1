/* SPDX-License-Identifier: MIT */
/* TLS to the endpoint. There is one TLS context per process, created from the options before the keeper
 * reports READY. */
#ifndef MYSQL_TLS_H
#define MYSQL_TLS_H

#include <openssl/ssl.h>

#include <base/err.h>
#include <ipc/keeper.h>

struct tls_options {
    enum keeper_tls level;
    bool ca_own; /* the profile's CA certificates are private, not public ones */
    char *name, *ca, *cert, *key, *ciphers, *version;
};

/* Reads the CA certificates, the client certificate and key, versions and ciphers. Returns 0, or -1 with
 * ERR_CONFIG that names the file or key. The options are borrowed for as long as the process runs; ca_own
 * becomes false if the CA file has as many certificates as a public list. */
int tls_prepare(struct tls_options *options, struct err *e);
/* Returns a new TLS connection over `fd`, in connect state, with server name and verification set; NULL on
 * error. */
SSL *tls_new(int fd, struct err *e);
/* Must be called after a successful handshake. If the server then closes without close_notify, that is the
 * end of the data and not an error, and its session can still be resumed; OpenSSL would drop it otherwise. */
void tls_established(SSL *ssl);
/* Must be called after a failed handshake. Sessions are not resumed any more, in case that was the reason. */
void tls_failed(void);

#endif
