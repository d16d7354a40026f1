/* SPDX-License-Identifier: MIT */
/* A connection, for the files that serve it: conn.c, and conn_login.c if the keeper logs in. */
#ifndef KEEPER_CONN_PARTS_H
#define KEEPER_CONN_PARTS_H

#include <event/relay.h>
#include <mysql/login_proxy.h>
#include <tunnel/tunnel.h>

#include "conn.h"
#include "credential.h"

struct conn {
    struct conn *next, **at;
    enum listener_kind kind;
    /* Set by whoever serves it: */
    void (*reached)(struct conn *c);                     /* there is a stream to the server */
    void (*failed)(struct conn *c, const struct err *e); /* there is none: the connection is to be ended */
    void (*release)(struct conn *c);                     /* before it is freed */
    struct relay relay;
    struct dial dial;
    struct handoff handoff;
    bool dialling, handing_off, handed_off;
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

/* Takes ownership of the client's descriptor. */
struct conn *conn_new(int fd, enum listener_kind kind);
void conn_end(struct conn *c);
/* Ends it if the client hangs up, until it is served. */
void conn_watch(struct conn *c);
/* Before anything was sent to the client: an error in the place of the greeting, and the end. */
void conn_refuse(struct conn *c, const struct err *e);
/* Begins the time in which the server must have sent data, if it has not begun. */
void conn_expect(struct conn *c);
/* reached() or failed() follows. */
void conn_dial(struct conn *c);
/* Uses a stream to the server, of which it takes ownership: reached(). */
void conn_connected(struct conn *c, int fd);
/* Copies bytes until it ends. */
void conn_copy(struct conn *c);

/* conn_login.c: gets a credential, dials, and logs in. */
void conn_login_serve(struct conn *c, bool by_port);

#endif
