/* SPDX-License-Identifier: MIT */
/*
 * A filter (event/relay.h) of what a client sends after a log-in that the keeper made: COM_CHANGE_USER is
 * refused, because the client has no password that the server knows. The server's reaction would be "access
 * denied", which looks like a fault of the account.
 */
#ifndef MYSQL_COMMANDS_H
#define MYSQL_COMMANDS_H

#include <event/relay.h>

/* For an uncompressed connection, from its first command on. */
struct relay_filter *commands_new(void);

#endif
