/* SPDX-License-Identifier: MIT */
/* The listeners: listening, accepting, and their addresses. */
#ifndef KEEPER_LISTENERS_H
#define KEEPER_LISTENERS_H

#include <base/err.h>
#include <ipc/record.h>

/* Binds and listens on all; nothing is accepted yet. ERR_UNREACHABLE where a port or path is taken. Fills in
 * the ports that were free in opt. */
int listeners_open(struct err *e);
void listeners_accept(void);
void listeners_close(void);

#endif
