/* SPDX-License-Identifier: MIT */
/* Turns an error line of the MySQL client into our own text, the same for both client families. */
#ifndef SESSION_SERVER_ERROR_H
#define SESSION_SERVER_ERROR_H

#include <base/err.h>
#include <session/plan.h>

/*
 * Fills in *e from the client's stderr ("ERROR 1045 (28000): ..."). `reason` is what our own check of the
 * route found, for errors about the route (NULL: not checked; empty: the route works). Returns the error's
 * number, 0 if the client printed none.
 */
unsigned server_error_explain(const struct plan *plan, const char *client_stderr, int status,
                              const char *reason, struct err *e);
/* The detail line of an error that an attacker on the network may have sent. */
#define SERVER_ERROR_BEFORE_TLS "received before TLS: from the server, or from an attacker on the network"
/* Adds to the hint of a connection refused beyond the SSH server that the database server may only listen on
 * a socket. Returns -1. */
int server_error_of_route(const struct plan *plan, struct err *e);
/* Returns only the error's number; 0 if there is none. */
unsigned server_error_number(const char *client_stderr);
/* Returns true if the number means that the route to the server failed, so that checking the route explains
 * it. */
bool server_error_is_route(unsigned number);

#endif
