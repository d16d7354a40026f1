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
    /* Callbacks, set by the file that serves the connection: */
    void (*reached)(struct conn *c);                     /* a stream to the server is open */
    void (*failed)(struct conn *c, const struct err *e); /* no stream could be opened: end the connection */
    void (*release)(struct conn *c);                     /* called before it is freed */
    struct relay relay;
    struct dial dial;
    struct handoff handoff;
    bool dialling, handing_off, handed_off;
    bool of_anybody; /* it counts as a connection whose user was not checked */
    struct timer silence;
    int64_t deadline; /* when the server must have sent data; 0: the tunnel was down */
    /* Used if the keeper logs in: */
    struct credential_wait wait;
    struct login_credential *as; /* the credential in use; NULL after the login */
    char *user;                  /* the user that is logged in, set after the login */
    bool waiting, by_port, unproved;
    bool again;     /* the server has refused a credential, and another try is in progress */
    bool renewed;   /* another credential than the first was tried */
    unsigned tries; /* tries with the same credential */
    unsigned looks; /* how often it was checked whether the session of another user has ended */
    struct timer nap;
};

/* The list of all connections. */
extern struct conn *conn_all;

/* Returns a new connection. Takes ownership of the client's descriptor. */
struct conn *conn_new(int fd, enum listener_kind kind);
void conn_end(struct conn *c);
/* Ends the connection if the client closes before it is served. */
void conn_watch(struct conn *c);
/* Sends an error to the client instead of the greeting, and ends the connection. Nothing may have been sent
 * to the client before. */
void conn_refuse(struct conn *c, const struct err *e);
/* Starts the time limit for the server's first data, if it was not started yet. */
void conn_expect(struct conn *c);
/* Opens a stream to the server; reached() or failed() follows. */
void conn_dial(struct conn *c);
/* Takes ownership of a stream to the server, uses it, and calls reached(). */
void conn_connected(struct conn *c, int fd);
/* Copies bytes until the connection ends. */
void conn_copy(struct conn *c);

/* conn_login.c: gets a credential, dials, and logs in. */
void conn_login_serve(struct conn *c, bool by_port);

#endif
