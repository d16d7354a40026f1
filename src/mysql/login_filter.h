/* SPDX-License-Identifier: MIT */
/*
 * MySQL's log-in as seen from the middle, without sockets: bytes of either side go in; bytes for either side,
 * and the next step, come out. The protocol: "Connection Phase" in MySQL's source documentation, "Connecting"
 * in MariaDB's.
 */
#ifndef MYSQL_LOGIN_FILTER_H
#define MYSQL_LOGIN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <mysql/login_proxy.h>

/* The maximal size of a log-in packet. Tokens have some 16 KiB. */
#define LOGIN_PACKET_MAX (1024 * 1024)
/* The same for the server before TLS, when anyone may impersonate it: a greeting has some 100 bytes. */
#define PLAIN_PACKET_MAX 4096
/* The maximal input of one call. */
#define LOGIN_CHUNK_MAX (64 * 1024)
/* The maximal data waiting for either side. */
#define LOGIN_OUT_MAX (4 * LOGIN_PACKET_MAX)

enum mysql_step {
    MYSQL_WAIT, /* for more from either side */
    MYSQL_TLS,  /* once `request` is sent, TLS is made with the server; then mysql_tls_made() */
    MYSQL_COPY, /* once all pending data is sent, bytes are copied */
    MYSQL_OVER, /* the server is closed; once all for the client is sent, so is the client */
};

enum mysql_stage {
    STAGE_GREETING, /* the server's greeting is awaited */
    STAGE_ANSWER,   /* the client has the greeting, its answer is awaited */
    STAGE_TLS,      /* our TLS request is sent, the handshake is in progress */
    STAGE_LOGIN,    /* TLS is up, the log-in continues */
    STAGE_COPY,
    STAGE_OVER,
};

struct mysql_side {
    struct buf in;  /* received and not passed on yet */
    struct buf out; /* to be sent to this side; the caller removes what it has sent */
};

struct mysql {
    const struct login_options *options;
    enum mysql_stage stage;
    struct mysql_side client, server;
    struct buf request; /* our TLS request: all that may go to the server before TLS is up; server.out is for
                           later */
    uint8_t next;       /* the sequence number that the client expects of the next packet */
    uint8_t ahead;      /* the difference of the server's sequence numbers to the client's, modulo 256 */
    uint8_t scramble[20];
    uint8_t asks_by;   /* the byte by which the client may ask for a public key now; 0: it may not */
    bool gave_key;     /* the client's next packet is the password, encrypted for us */
    struct err failed; /* why it is over; ERR_NONE if the server has refused the log-in */
};

/* The options are kept. */
void mysql_init(struct mysql *m, const struct login_options *options);
void mysql_release(struct mysql *m);

enum mysql_step mysql_from_server(struct mysql *m, const char *bytes, size_t n);
enum mysql_step mysql_from_client(struct mysql *m, const char *bytes, size_t n);
/* TLS with the server is up: sends the client's answer. Data from the server now comes through TLS. */
enum mysql_step mysql_tls_made(struct mysql *m);

#endif
