/* SPDX-License-Identifier: MIT */
/* Errors of a login in which the server or the client does not answer or closes the connection, and the
 * deadlines for this. */
#ifndef MYSQL_LOGIN_ERRORS_H
#define MYSQL_LOGIN_ERRORS_H

#include <stdbool.h>

#include <base/err.h>

#include "login_filter.h"

/* Returns how long a side may take to answer at this stage, in ms. */
int64_t login_patience(const struct mysql *m);

/* Sets the error for a server that closed the connection. */
void login_error_lost(const struct mysql *m, struct err *e);
/* Sets the error for a missed deadline; `shakes`: the deadline of the TLS handshake. */
void login_error_late(const struct mysql *m, bool shakes, struct err *e);

#endif
