/* SPDX-License-Identifier: MIT */
/*
 * Relays a MySQL login (login_filter.h) and sets up TLS with the server. If there is a credential, the keeper
 * logs in to the server itself, and the client needs no MySQL password (login_inject.h).
 */
#ifndef MYSQL_LOGIN_PROXY_H
#define MYSQL_LOGIN_PROXY_H

#include <base/secret.h>
#include <event/relay.h>
#include <mysql/tls.h>

/* Options that are the same for all logins of a process. */
struct login_options {
    const char *server;      /* HOST:PORT or the path of the endpoint, for messages */
    int64_t connect_timeout; /* in ms; applies to the greeting, and again to TLS */
    const struct tls_options *tls;
    bool bytes_beside; /* another local address of this keeper passes bytes unchanged */
    /* The following are used only if the keeper logs in. */
    const char *profile;    /* for the connection attribute _broker_profile; may be NULL */
    bool own_socket;        /* the endpoint is the server's unix socket: nothing can intercept it */
    bool server_public_key; /* without TLS, the password may be encrypted with the server's RSA key */
    bool local_infile;      /* the server may ask the client for files (LOAD DATA LOCAL) */
};

/* The user and password with which the keeper logs in. Reference-counted: each login holds a reference. */
struct login_credential {
    char *user;
    struct secret *password;
    unsigned references;
};
/* Takes ownership of `user` and `password`. The caller owns the returned reference. */
struct login_credential *login_credential_new(char *user, struct secret *password);
struct login_credential *login_credential_hold(struct login_credential *c);
/* Drops a reference; the last drop wipes and frees the credential. `c` may be NULL. */
void login_credential_drop(struct login_credential *c);

enum login_result {
    LOGIN_DONE,    /* data to be sent first is in the flows' `held`, and relay_start() continues */
    LOGIN_FAILED,  /* the client has got its error, or has closed: the connection must be ended */
    LOGIN_REFUSED, /* the server has refused the keeper's credential (1045), and its stream is closed; the
                      client is waiting: call login_retry() or login_tell() */
};

struct login_events {
    /* Called when the client has proved that it may connect, or at once if no proof is required. Called only
     * if the keeper logs in; may be NULL. */
    void (*proved)(struct relay *r);
    /* Called once, perhaps before login_start() or login_retry() returns, and again after LOGIN_REFUSED. */
    void (*done)(struct relay *r, enum login_result result);
};

/*
 * Starts a login. Both wires must be open, and the server's greeting must arrive before `deadline`. `as` is
 * the credential with which the keeper logs in, and of which it holds a reference until the login has ended;
 * if NULL, the client itself logs in. `client_password` (borrowed) is the password that the client must prove
 * to have; if NULL, any answer is accepted. `events` is copied.
 */
void login_start(struct relay *r, const struct login_options *options, struct login_credential *as,
                 const struct secret *client_password, int64_t deadline, const struct login_events *events);
/* After LOGIN_REFUSED: logs in again with `as`, over the new stream in wire[SERVER]. */
void login_retry(struct relay *r, struct login_credential *as, int64_t deadline);
/* After LOGIN_REFUSED: sends `e` to the client, or the server's own error if NULL. done(LOGIN_FAILED)
 * follows. */
void login_tell(struct relay *r, const struct err *e);
/* Aborts the login without calling a callback. Does nothing if there is no login. */
void login_end(struct relay *r);

/* Sets the error of a server that accepted the connection but sends nothing: "2013 db:3306: no greeting
 * within 10s". Returns -1. */
int login_silent(const struct login_options *options, struct err *e);

#endif
