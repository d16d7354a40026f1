/* SPDX-License-Identifier: MIT */
/*
 * The MySQL login as the keeper sees it between client and server, without sockets: bytes from either side
 * are the input; bytes for either side and the next step are the output. Either the login is passed on (the
 * table in login_filter.c), or the keeper logs in itself (the table in login_inject.c). The protocol is
 * described in "Connection Phase" in MySQL's source documentation, "Connecting" in MariaDB's.
 */
#ifndef MYSQL_LOGIN_FILTER_H
#define MYSQL_LOGIN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <mysql/login_proxy.h>

/* Maximal size of a login packet. Tokens that are sent as a password have about 16 KiB. */
#define LOGIN_PACKET_MAX (1024 * 1024)
/* Maximal size of the server's packets before TLS, when an attacker could have sent them; a greeting has
 * about 100 bytes. */
#define PLAIN_PACKET_MAX 4096
/* Maximal input of one call. */
#define LOGIN_CHUNK_MAX (64 * 1024)
/* Maximal size of the data waiting for either side. */
#define LOGIN_OUT_MAX (4 * LOGIN_PACKET_MAX)

enum mysql_step {
    MYSQL_WAIT,    /* wait for more data from either side */
    MYSQL_TLS,     /* send `request`, then set up TLS with the server and call mysql_tls_made() */
    MYSQL_COPY,    /* send all pending data, then copy bytes */
    MYSQL_REFUSED, /* the server is closed and the client is waiting: call mysql_retry() or mysql_tell() */
    MYSQL_OVER,    /* close the server; send all pending data to the client, then close the client */
};

enum mysql_stage {
    STAGE_GREETING, /* waiting for the server's greeting */
    STAGE_ANSWER,   /* the client has got the greeting; waiting for its answer */
    STAGE_PROOF,    /* the client was asked to answer again with another plug-in */
    STAGE_AGAIN,    /* the client has proved that it may connect; waiting for another server's greeting */
    STAGE_TLS,      /* our TLS request is sent, the handshake is in progress */
    STAGE_LOGIN,    /* the handshake is done (or there is no TLS), the login continues */
    /* Used only if the keeper logs in, after TLS was set up: */
    STAGE_NAMED,   /* the server got a method's name but no answer: it must name its own method */
    STAGE_FAST,    /* the server got a scrambled password; waiting for it to say whether that is enough */
    STAGE_KEY,     /* the server was asked for its RSA key */
    STAGE_SALT,    /* the server was asked for the salt of the password */
    STAGE_LAST,    /* the server has got everything; waiting for its decision */
    STAGE_REFUSED, /* the server refused the keeper's credential */
    STAGE_COPY,
    STAGE_OVER,
};

struct mysql_side {
    struct buf in;  /* received but not passed on yet */
    struct buf out; /* to be sent to this side; the caller removes what it has sent */
};

struct inject;

struct mysql {
    const struct login_options *options;
    struct inject *inject; /* not NULL if the keeper logs in (login_inject.h) */
    bool without_tls;      /* TLS is not used, so server.out may be sent at once */
    enum mysql_stage stage;
    struct mysql_side client, server;
    struct buf request; /* our TLS request; nothing else may be sent to the server before TLS is set up,
                           server.out is sent later */
    uint8_t next;       /* the sequence number that the client expects in the next packet */
    uint8_t ahead;      /* the server's sequence numbers minus the client's, modulo 256 */
    uint8_t scramble[20];
    uint8_t asks_by;   /* the byte with which the client may request a public key now; 0: it may not */
    bool gave_key;     /* the client has our key: its next packet is the encrypted password */
    struct err failed; /* why the login failed; ERR_NONE if the server refused it */
};

/* Starts a login. The options are borrowed until mysql_release(). */
void mysql_init(struct mysql *m, const struct login_options *options);
void mysql_release(struct mysql *m);

enum mysql_step mysql_from_server(struct mysql *m, const char *bytes, size_t n);
enum mysql_step mysql_from_client(struct mysql *m, const char *bytes, size_t n);
/* Must be called when TLS with the server is set up: sends the client's answer. From now on data from the
 * server comes through TLS. */
enum mysql_step mysql_tls_made(struct mysql *m);

/* Makes the keeper log in. Must be called before anything else. See login_start() in mysql/login_proxy.h. */
void mysql_inject(struct mysql *m, struct login_credential *as, const struct secret *client_password);
/* Returns whether the client has proved that it may connect. */
bool mysql_proved(const struct mysql *m);
/* After MYSQL_REFUSED, when another stream to the server is open: logs in again. */
enum mysql_step mysql_retry(struct mysql *m, struct login_credential *as);
/* After MYSQL_REFUSED: sends `e` to the client, or the server's own error if NULL. Returns MYSQL_OVER. */
enum mysql_step mysql_tell(struct mysql *m, const struct err *e);

#endif
