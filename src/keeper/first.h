/* SPDX-License-Identifier: MIT */
/* The stream for the first connection: dialled before READY, which waits for the server's greeting. */
#ifndef KEEPER_FIRST_H
#define KEEPER_FIRST_H

#include <stdint.h>

#include <base/err.h>

/* done(NULL): the server has said something, or has hung up, which the first connection finds out. done(e):
 * it was not reached, or was silent: dial and greeting have one connect_timeout together. Once. */
void first_open(void (*done)(const struct err *e));
/* The stream, the caller's from now on; -1: there is none, or it has ended meanwhile. */
int first_take(void);
/* Closes what nobody has taken. */
void first_close(void);

#endif
