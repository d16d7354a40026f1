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
/* Nobody is let in any more, and the next forward of that name may be opened; who is in stays. */
void status_close(void);
/*
 * What has come of a request so far. 1: it is whole and *answer filled (*stop: and the keeper is to stop), 0:
 * not whole yet, -1: no request.
 */
int status_answer(const void *bytes, size_t n, struct record *answer, bool *stop);
/* A request is never longer. */
#define STATUS_REQUEST_MAX 4096

#endif
