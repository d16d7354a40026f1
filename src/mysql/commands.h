/* SPDX-License-Identifier: MIT */
/*
 * A filter (event/relay.h) for what a client sends after the keeper has logged in: refuses COM_CHANGE_USER,
 * because the client has no password that the server knows. The server would answer "access denied", which
 * looks like a problem with the account.
 */
#ifndef MYSQL_COMMANDS_H
#define MYSQL_COMMANDS_H

#include <event/relay.h>

/* Returns a filter for an uncompressed connection. It must see everything from the first command on. */
struct relay_filter *commands_new(void);

#endif
