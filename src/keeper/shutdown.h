/* SPDX-License-Identifier: MIT */
/* Ends the keeper. */
#ifndef KEEPER_SHUTDOWN_H
#define KEEPER_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

/* Watches for the end of the process that the keeper serves (KEEPER_LIVES_FOR_FD, if there is one), and for
 * signals that end the keeper. */
void shutdown_watch(void);
/* Returns whether the keeper serves a process; a detached forward does not. */
bool shutdown_has_owner(void);
/* Waits, outside the event loop, until fd is readable (true) or the deadline has passed (false). A signal, or
 * the end of the process that the keeper serves, ends the keeper at once. */
bool shutdown_wait(int fd, int64_t deadline);
/* Stops accepting, lets open connections drain for the requested time, then ends the keeper. */
void shutdown_begin(void);
/* Ends all that was started, removes all sockets, and exits. */
__attribute__((noreturn)) void shutdown_now(int status);

#endif
