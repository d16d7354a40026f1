/* SPDX-License-Identifier: MIT */
/* The listeners: listening, accepting, and their addresses. */
#ifndef KEEPER_LISTENERS_H
#define KEEPER_LISTENERS_H

#include <base/err.h>
#include <ipc/record.h>

/* Binds and listens on all addresses; accepts nothing yet. Sets ports in opt that were chosen here. Returns
 * 0, or -1 with ERR_UNREACHABLE if a port or path is in use. */
int listeners_open(struct err *e);
void listeners_accept(void);
void listeners_close(void);

#endif
