/* SPDX-License-Identifier: MIT */
/* Translates the stock client's error line into our text, the same for both client families. */
#ifndef SESSION_SERVER_ERROR_H
#define SESSION_SERVER_ERROR_H

#include <base/err.h>
#include <session/plan.h>

/*
 * Fills *e from the client's stderr ("ERROR 1045 (28000): ..."). `reason` is what our own look at the route
 * found, for the errors that are about it (NULL: not looked; empty: the route is there). Returns the error's
 * number, 0 where the client gave none.
 */
unsigned server_error_explain(const struct plan *plan, const char *client_stderr, int status,
                              const char *reason, struct err *e);
/* The detail line of an error that anyone on the network may have sent. */
#define SERVER_ERROR_BEFORE_TLS "received before TLS: from the server, or from an attacker on the network"
/* Adds to the hint of a refusal at the far side of SSH that the server may only have a socket. Returns -1. */
int server_error_of_route(const struct plan *plan, struct err *e);
/* The number alone; 0: none. */
unsigned server_error_number(const char *client_stderr);
/* Whether that number says that the route to the server failed, so that a look at the route explains it. */
bool server_error_is_route(unsigned number);

#endif
