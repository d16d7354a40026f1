/* SPDX-License-Identifier: MIT */
/*
 * Relays a MySQL log-in (login_filter.h) and makes TLS with the server. If there is a credential, the keeper
 * logs in by itself and the client needs none (login_inject.h).
 */
#ifndef MYSQL_LOGIN_PROXY_H
#define MYSQL_LOGIN_PROXY_H

#include <base/secret.h>
#include <event/relay.h>
#include <mysql/tls.h>

/* The same for all log-ins of a process. */
struct login_options {
    const char *server;      /* HOST:PORT or the path of the endpoint, for messages */
    int64_t connect_timeout; /* ms, for the greeting, and again for TLS */
    const struct tls_options *tls;
    bool bytes_beside; /* another local address of this keeper's passes bytes untouched */
    /* Only if the keeper logs in: */
    const char *profile;    /* its name, for the connection attribute _broker_profile; NULL */
    bool own_socket;        /* the endpoint is the server's own unix socket: no one can be in between */
    bool server_public_key; /* without TLS, the server's key may encrypt the password */
    bool local_infile;      /* the client may be asked for files */
};

/* Whom the keeper logs in as. References are counted: each log-in holds one. */
struct login_credential {
    char *user;
    struct secret *password;
    unsigned references;
};
/* Takes ownership of both. One reference, the caller's. */
struct login_credential *login_credential_new(char *user, struct secret *password);
struct login_credential *login_credential_hold(struct login_credential *c);
/* The last one wipes it. NULL is fine. */
void login_credential_drop(struct login_credential *c);

enum login_result {
    LOGIN_DONE,    /* data still to be sent is in the flows' `held`, and relay_start() continues */
    LOGIN_FAILED,  /* the client has its error, or has gone: the connection must be ended */
    LOGIN_REFUSED, /* the server has refused our credential (1045), and its stream is closed; the client
                      waits: login_retry() or login_tell() */
};

struct login_events {
    /* The client has proved that it may connect; at once if it need not. Only if the keeper logs in; may be
     * NULL. */
    void (*proved)(struct relay *r);
    /* Called once, perhaps before login_start() or login_retry() returns, and again after LOGIN_REFUSED. */
    void (*done)(struct relay *r, enum login_result result);
};

/*
 * Both wires must be open; the server's greeting must arrive before the deadline. `as`: the keeper logs in
 * with it, and holds a reference until the log-in has ended; NULL: the client logs in itself.
 * `client_password`: what a client must prove that it has, borrowed; NULL: any answer is accepted. The events
 * are kept.
 */
void login_start(struct relay *r, const struct login_options *options, struct login_credential *as,
                 const struct secret *client_password, int64_t deadline, const struct login_events *events);
/* After LOGIN_REFUSED: logs in again, over the new stream in wire[SERVER]. */
void login_retry(struct relay *r, struct login_credential *as, int64_t deadline);
/* After LOGIN_REFUSED: the client gets `e`, or the server's own words (NULL). done(LOGIN_FAILED) follows. */
void login_tell(struct relay *r, const struct err *e);
/* Aborts it; calls no callback. Does nothing if there is none. */
void login_end(struct relay *r);

/* The server has accepted and says nothing: "2013 db:3306: no greeting within 10s". -1. */
int login_silent(const struct login_options *options, struct err *e);

#endif
