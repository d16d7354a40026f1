/* SPDX-License-Identifier: MIT */
/* A log-in in which somebody has gone, or says nothing: how long that is borne, and the error. */
#ifndef MYSQL_LOGIN_ERRORS_H
#define MYSQL_LOGIN_ERRORS_H

#include <stdbool.h>

#include <base/err.h>

#include "login_filter.h"

/* How long whoever is asked at this stage has, ms. */
int64_t login_patience(const struct mysql *m);

/* The server has closed. */
void login_error_lost(const struct mysql *m, struct err *e);
/* A deadline has passed; `shakes`: that of the TLS handshake. */
void login_error_late(const struct mysql *m, bool shakes, struct err *e);

#endif
