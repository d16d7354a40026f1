/* SPDX-License-Identifier: MIT */
/* The control socket of a forward: STATUS and STOP. */
#ifndef KEEPER_STATUS_SOCKET_H
#define KEEPER_STATUS_SOCKET_H

#include <stdbool.h>

#include <base/err.h>
#include <ipc/record.h>

/* Listens on opt.control, if one is wanted. stop(): a STOP came; nothing is to be accepted any more once it
 * returns. */
int status_open(void (*stop)(void), struct err *e);
/* Accepts no more connections, so that the next forward of that name can be opened; existing connections
 * stay. */
void status_close(void);
/* Fills the answer to a request. True: the keeper must stop. */
bool status_answer(const struct record *request, struct record *answer);

#endif
