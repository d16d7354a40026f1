/*
 * MySQL's log-in as seen by somebody in the middle, without sockets: bytes go in from either side, bytes come
 * out for either side, and the next step. The protocol: "Connection Phase" in MySQL's manual of its source,
 * "Connecting" in MariaDB's.
 */
#ifndef MYSQL_LOGIN_FILTER_H
#define MYSQL_LOGIN_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <mysql/login_proxy.h>

/* The most that a packet of the log-in may have. Tokens have some 16 KiB. */
#define LOGIN_PACKET_MAX (1024 * 1024)
/* The same of the server before TLS, when anybody may speak for it: a greeting has some 100 bytes. */
#define PLAIN_PACKET_MAX 4096
/* The most that may be given in one call. */
#define LOGIN_CHUNK_MAX (64 * 1024)
/* The most that may wait for either side. */
#define LOGIN_OUT_MAX (4 * LOGIN_PACKET_MAX)

enum mysql_step {
    MYSQL_WAIT, /* for more from either side */
    MYSQL_TLS,  /* once `request` is sent, TLS is made with the server; then mysql_tls_made() */
    MYSQL_COPY, /* once all that is there is sent, bytes are copied */
    MYSQL_OVER, /* the server is closed; once all for the client is sent, so is the client */
};

enum mysql_stage {
    STAGE_GREETING, /* the server's greeting is awaited */
    STAGE_ANSWER,   /* the client has it, its answer is awaited */
    STAGE_TLS,      /* our request for TLS is out, TLS is being made */
    STAGE_LOGIN,    /* TLS is there, the log-in goes on */
    STAGE_COPY,
    STAGE_OVER,
};

struct mysql_side {
    struct buf in;  /* what came and is not passed on yet */
    struct buf out; /* what is to be sent to this side; the caller drops what it has sent */
};

struct mysql {
    const struct login_options *options;
    enum mysql_stage stage;
    struct mysql_side client, server;
    struct buf request; /* for TLS: all that may go to the server before TLS is made;
                           server.out is for what is behind it */
    uint8_t next;       /* the sequence number that the client expects of the next packet */
    uint8_t ahead;      /* how far the server's sequence numbers are ahead of the client's, modulo 256 */
    uint8_t scramble[20];
    uint8_t asks_by;   /* the byte by which the client may ask for a public key now; 0: it may not */
    bool gave_key;     /* the client's next packet is the password, encrypted for us */
    struct err failed; /* why it is over; ERR_NONE where the server has refused the log-in */
};

/* The options are kept. */
void mysql_init(struct mysql *m, const struct login_options *options);
void mysql_release(struct mysql *m);

enum mysql_step mysql_from_server(struct mysql *m, const char *bytes, size_t n);
enum mysql_step mysql_from_client(struct mysql *m, const char *bytes, size_t n);
/* TLS with the server is up: the client's answer goes out. What comes from the server from now on came
 * through TLS. */
enum mysql_step mysql_tls_made(struct mysql *m);

#endif
