/* SPDX-License-Identifier: MIT */
/* TLS to the endpoint: one context per process, made from the options before READY. */
#ifndef MYSQL_TLS_H
#define MYSQL_TLS_H

#include <openssl/ssl.h>

#include <base/err.h>
#include <ipc/keeper.h>

struct tls_options {
    enum keeper_tls level;
    bool ca_own; /* its authorities sign for the user alone: the profile names them */
    char *name, *ca, *cert, *key, *ciphers, *version;
};

/* Reads CA certificates, client certificate and key, versions and ciphers. ERR_CONFIG with the file or key.
 * The options are kept; ca_own becomes false if there are as many authorities as in a public list. */
int tls_prepare(struct tls_options *options, struct err *e);
/* A TLS connection over fd, in connect state, with name and verification set. NULL: *e. */
SSL *tls_new(int fd, struct err *e);
/* Call it after a failed handshake: sessions are not resumed any more, in case that was the reason. */
void tls_failed(void);

#endif
