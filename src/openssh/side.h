/* SPDX-License-Identifier: MIT */
/*
 * A connection to the master that sends packets outside any stream to the far side (PROTOCOL.mux, "proxy"
 * mode: the master encrypts the packets and only interprets those about channels).
 */
#ifndef OPENSSH_SIDE_H
#define OPENSSH_SIDE_H

#include <stdint.h>

/* Connects to the master at `control`, until side_close(). Does nothing if the master does not support the
 * mode. */
void side_open(const char *control);
/*
 * Call it when a stream is requested: sends the far side SSH_MSG_IGNORE packets for a tenth of a second. Each
 * carries the acknowledgement of received data, for which sshd before 10.1 waits before it sends the next
 * small packet (40 ms if nothing is sent).
 */
void side_nudge(void);
/* The stream is open, and its first bytes are on the way: sends one more at once. */
void side_nudge_now(void);
/*
 * Probes the far side by requesting a channel of an unknown type, which every server refuses without running
 * anything. `silent` is called, never before the return, if it does not answer in time. Does nothing while
 * the last probe is open. Only for our own master, because OpenSSH's master ends when a connection on which a
 * channel was refused is closed.
 */
void side_ask(int64_t deadline, void (*silent)(void));
void side_close(void);

#endif
