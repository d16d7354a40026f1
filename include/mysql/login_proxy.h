/* Sees a MySQL log-in through (login_filter.h), making TLS with the server. */
#ifndef MYSQL_LOGIN_PROXY_H
#define MYSQL_LOGIN_PROXY_H

#include <event/relay.h>

/*
 * Both wires are open; the server's greeting has to come before that moment. done() comes once, perhaps
 * before this returns: `well`, what is still to be sent is in the flows' `held`, and relay_start() goes on;
 * else the client has been told and the connection is to be ended.
 */
void login_start(struct relay *r, int64_t deadline, void (*done)(struct relay *r, bool well));
/* Gives up; calls nothing. Nothing where there is none. */
void login_end(struct relay *r);

#endif
