/* SPDX-License-Identifier: MIT */
/* Functions for TCP sockets and clocks that POSIX does not have. */
#ifndef EVENT_SOCK_H
#define EVENT_SOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Acknowledges received data at once, this time. sshd before 10.1 leaves Nagle's algorithm on when it only
 * forwards, and waits for the acknowledgement that we would delay by 40 ms. Lasts until the next recv. */
void sock_acknowledge(int fd);
/* The connection fails if the peer does not acknowledge for `ms`. */
void sock_give_up_after(int fd, int64_t ms);
/* Whether any process has sent data to the peer of this TCP socket; true if this is unknown, as for a unix
 * socket. */
bool sock_has_sent(int fd);
/* How long this machine has been suspended since its boot, ms: time that CLOCK_MONOTONIC does not count. */
int64_t clock_slept_ms(void);

#endif
