/* SPDX-License-Identifier: MIT */
/* The control socket of a forward: STATUS and STOP. */
#ifndef KEEPER_STATUS_SOCKET_H
#define KEEPER_STATUS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <base/err.h>
#include <ipc/record.h>

/* Listens on opt.control, if one is wanted. stop(): a STOP came; nothing is to be accepted any more once it
 * returns. */
int status_open(void (*stop)(void), struct err *e);
/* Accepts no more connections, so that the next forward of that name can be opened; existing connections
 * stay. */
void status_close(void);
/*
 * Parses a request from the bytes so far. 1: complete and *answer filled (*stop: the keeper must stop), 0:
 * incomplete, -1: invalid.
 */
int status_answer(const void *bytes, size_t n, struct record *answer, bool *stop);
/* The maximal size of a request. */
#define STATUS_REQUEST_MAX 4096

#endif
