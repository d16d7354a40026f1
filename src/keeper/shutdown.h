/* SPDX-License-Identifier: MIT */
/* The end of the keeper. */
#ifndef KEEPER_SHUTDOWN_H
#define KEEPER_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

/* Watches the process that the keeper serves (KEEPER_LIVES_FOR_FD, if there is one) and the signals that end
 * it. */
void shutdown_watch(void);
/* Whether there is a process that it serves: not for a detached forward. */
bool shutdown_has_owner(void);
/* Waits, outside the loop, until fd is readable or until the deadline (false). A signal, or the end of the
 * process that it serves, ends the keeper at once. */
bool shutdown_wait(int fd, int64_t deadline);
/* Stops accepting, lets open connections drain for the requested time, then quits. */
void shutdown_begin(void);
/* Ends everything that was started, removes every socket, and exits. */
__attribute__((noreturn)) void shutdown_now(int status);

#endif
