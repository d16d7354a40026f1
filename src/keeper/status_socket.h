/* SPDX-License-Identifier: MIT */
/* The control socket of a forward: STATUS and STOP. */
#ifndef KEEPER_STATUS_SOCKET_H
#define KEEPER_STATUS_SOCKET_H

#include <stdbool.h>

#include <base/err.h>
#include <ipc/record.h>

/* Listens on opt.control, if it is set. stop() is called for a STOP; when it returns, no more connections may
 * be accepted. */
int status_open(void (*stop)(void), struct err *e);
/* Closes the control socket, so that the next forward of the same name can be opened; existing connections
 * stay. */
void status_close(void);
/* Sets the answer to a request. Returns true if the keeper must stop. */
bool status_answer(const struct record *request, struct record *answer);

#endif
