/* The end of the keeper. */
#ifndef KEEPER_SHUTDOWN_H
#define KEEPER_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

/* Watches what the keeper lives for (KEEPER_LIVES_FOR_FD, where there is one) and the signals that end it. */
void shutdown_watch(void);
/* Whether there is a process that it lives for: not where the forward is detached. */
bool shutdown_has_owner(void);
/* Where the loop cannot turn: waits until fd is readable, or for the moment `deadline` (false). A signal, or
 * the owner's end, is the end at once. */
bool shutdown_wait(int fd, int64_t deadline);
/* Accepts nothing any more, lets open connections drain as long as was asked, then quits. */
void shutdown_begin(void);
/* Ends everything that was started, removes every socket, and exits. */
__attribute__((noreturn)) void shutdown_now(int status);

#endif
