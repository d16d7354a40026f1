/* SPDX-License-Identifier: MIT */
/* Functions for TCP sockets and clocks that POSIX does not have. */
#ifndef EVENT_SOCK_H
#define EVENT_SOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Acknowledges received data at once, until the next recv. sshd before 10.1 leaves Nagle's algorithm on when
 * it forwards, and waits for the acknowledgement, which the kernel would delay by 40 ms. */
void sock_acknowledge(int fd);
/* Makes the connection fail if the peer does not acknowledge data for `ms`. */
void sock_give_up_after(int fd, int64_t ms);
/* Returns whether any process has sent data to the peer of this TCP socket. Returns true if this is unknown,
 * as for a unix socket. */
bool sock_has_sent(int fd);
/* Returns how long this machine has been suspended since its boot, in ms: time that CLOCK_MONOTONIC does not
 * count. */
int64_t clock_slept_ms(void);

#endif
