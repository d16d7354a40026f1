/* SPDX-License-Identifier: MIT */
/* The errors of a log-in in which somebody has gone, or says nothing. */
#ifndef MYSQL_LOGIN_WORDS_H
#define MYSQL_LOGIN_WORDS_H

#include <stdbool.h>

#include <base/err.h>

#include "login_filter.h"

/* The server has closed. */
void login_words_lost(const struct mysql *m, struct err *e);
/* A deadline has passed; `shakes`: that of the TLS handshake. */
void login_words_late(const struct mysql *m, bool shakes, struct err *e);

#endif
