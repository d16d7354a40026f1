/* SPDX-License-Identifier: MIT */
/* A connection, for the two files that serve it: conn.c, and conn_login.c if the keeper logs in. */
#ifndef KEEPER_CONN_PARTS_H
#define KEEPER_CONN_PARTS_H

#include <event/relay.h>
#include <mysql/login_proxy.h>
#include <tunnel/tunnel.h>

#include "conn.h"
#include "credential.h"

struct conn {
    struct conn *next, **at;
    enum keeper_end kind;
    struct relay relay;
    struct dial dial;
    struct join join;
    bool dialling, joining, joined;
    bool of_anybody; /* it counts as one whose user was not checked */
    struct timer silence;
    int64_t deadline; /* when the server must have sent data; 0: the tunnel was down */
    /* If the keeper logs in: */
    struct credential_wait wait;
    struct login_credential *as; /* until it has logged in */
    char *user;                  /* whom it has logged in as, since then */
    bool waiting, by_port, unproved;
    bool again;     /* the server has refused it, and it is tried again */
    bool renewed;   /* with another credential than the first */
    unsigned tries; /* with the same */
    unsigned looks; /* for the end of a session with another user */
    struct timer nap;
};

/* All of them. */
extern struct conn *conn_all;

void conn_end(struct conn *c);
/* Before anything was sent to the client: an error in the place of the greeting, and the end. */
void conn_refuse(struct conn *c, const struct err *e);
/* Begins the time in which the server must have sent data, if it has not begun. */
void conn_expect(struct conn *c);
void conn_dial(struct conn *c);
/* Uses a stream to the server, of which it takes ownership. */
void conn_connected(struct conn *c, int fd);
void conn_copy(struct conn *c);

/* conn_login.c: accepts it, gets a credential, and dials. */
void conn_login_serve(struct conn *c, bool by_port);
/* Its log-in; again with `again` set, over a new stream. */
void conn_login_start(struct conn *c);
/* It cannot be logged in: the client is told `e`, or, after a refusal, the server's words (NULL). */
void conn_login_failed(struct conn *c, const struct err *e);
/* Before it is freed. */
void conn_login_release(struct conn *c);

#endif
