/* SPDX-License-Identifier: MIT */
/* Relays a MySQL log-in (login_filter.h) and makes TLS with the server. */
#ifndef MYSQL_LOGIN_PROXY_H
#define MYSQL_LOGIN_PROXY_H

#include <event/relay.h>
#include <mysql/tls.h>

/* The same for all log-ins of a process. */
struct login_options {
    const char *server;      /* HOST:PORT or the path of the endpoint, for messages */
    int64_t connect_timeout; /* ms, for the greeting, and again for TLS */
    const struct tls_options *tls;
    bool bytes_beside; /* another local address of this keeper's passes bytes untouched */
};

/*
 * Both wires must be open; the server's greeting must arrive before the deadline. done() is called once,
 * perhaps before this returns. `well`: data still to be sent is in the flows' `held`, and relay_start()
 * continues; else the client has its error and the connection must be ended.
 */
void login_start(struct relay *r, const struct login_options *options, int64_t deadline,
                 void (*done)(struct relay *r, bool well));
/* Aborts it; calls no callback. Does nothing if there is none. */
void login_end(struct relay *r);

/* The server has accepted and says nothing: "2013 db:3306: no greeting within 10s". -1. */
int login_silent(const struct login_options *options, struct err *e);

#endif
