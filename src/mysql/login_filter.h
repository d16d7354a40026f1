/* SPDX-License-Identifier: MIT */
/*
 * MySQL's log-in as seen from the middle, without sockets: bytes of either side go in; bytes for either side,
 * and the next step, come out. Either the log-in is passed on (the table in login_filter.c), or the keeper
 * logs in by itself (the table in login_inject.c). The protocol: "Connection Phase" in MySQL's source
 * documentation, "Connecting" in MariaDB's.
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
    MYSQL_WAIT,    /* for more from either side */
    MYSQL_TLS,     /* once `request` is sent, TLS is made with the server; then mysql_tls_made() */
    MYSQL_COPY,    /* once all pending data is sent, bytes are copied */
    MYSQL_REFUSED, /* the server is closed, the client waits: mysql_retry() or mysql_tell() */
    MYSQL_OVER,    /* the server is closed; once all for the client is sent, so is the client */
};

enum mysql_stage {
    STAGE_GREETING, /* the server's greeting is awaited */
    STAGE_ANSWER,   /* the client has the greeting, its answer is awaited */
    STAGE_PROOF,    /* it was asked to answer once more, by another plug-in */
    STAGE_AGAIN,    /* the client has proved that it may connect; another server's greeting is awaited */
    STAGE_TLS,      /* our TLS request is sent, the handshake is in progress */
    STAGE_LOGIN,    /* TLS is up (or none is made), the log-in continues */
    /* Only if the keeper logs in, all of them after STAGE_LOGIN's TLS: */
    STAGE_NAMED,   /* the server got a method's name but no answer: it must name its own */
    STAGE_FAST,    /* it got a scrambled password, and says whether that is enough */
    STAGE_KEY,     /* it was asked for its RSA key */
    STAGE_SALT,    /* it was asked for the password's salt */
    STAGE_LAST,    /* it has everything: yes or no */
    STAGE_REFUSED, /* it said no to our credential */
    STAGE_COPY,
    STAGE_OVER,
};

struct mysql_side {
    struct buf in;  /* received and not passed on yet */
    struct buf out; /* to be sent to this side; the caller removes what it has sent */
};

struct inject;

struct mysql {
    const struct login_options *options;
    struct inject *inject; /* the keeper logs in (login_inject.h); NULL: the client does */
    bool without_tls;      /* none will be made, and server.out may be sent at once */
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

/* Before anything else: the keeper logs in. See login_start() in mysql/login_proxy.h. */
void mysql_inject(struct mysql *m, struct login_credential *as, const struct secret *client_password);
/* Whether the client has proved that it may connect. */
bool mysql_proved(const struct mysql *m);
/* After MYSQL_REFUSED: another stream to the server is open. */
enum mysql_step mysql_retry(struct mysql *m, struct login_credential *as);
/* After MYSQL_REFUSED: the client gets `e`, or the server's own words. MYSQL_OVER. */
enum mysql_step mysql_tell(struct mysql *m, const struct err *e);

#endif
