/* What a system can do for a TCP socket and for our clocks beyond POSIX. */
#ifndef EVENT_SOCK_H
#define EVENT_SOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Acknowledges what has come at once, this time. sshd before 10.1 leaves Nagle's algorithm on where it only
 * forwards, and waits for the acknowledgement that we would delay by 40 ms. Holds until the next recv. */
void sock_acknowledge(int fd);
/* The peer is given up once it has not acknowledged for `ms`. */
void sock_give_up_after(int fd, int64_t ms);
/* Whether something was sent to the peer of this TCP socket, by whoever has it; true where this cannot be
 * known, as of a unix socket. */
bool sock_has_sent(int fd);
/* How long this machine has slept since its start, ms: what CLOCK_MONOTONIC does not count. */
int64_t clock_slept_ms(void);

#endif
