/* SPDX-License-Identifier: MIT */
/* The stream for the first connection: dialled before READY, which waits for the server's greeting. */
#ifndef KEEPER_FIRST_H
#define KEEPER_FIRST_H

#include <stdint.h>

#include <base/err.h>

/* Dials. done() is called once: with NULL if the server has sent data or closed the connection (which the
 * first connection will notice), or with an error if the server was not reached or sent nothing. Dial and
 * greeting together have one connect_timeout. */
void first_open(void (*done)(const struct err *e));
/* Returns the stream, which the caller then owns, or -1 if there is none or it has ended meanwhile. */
int first_take(void);
/* Closes the stream if it was not taken. */
void first_close(void);

#endif
