/* SPDX-License-Identifier: MIT */
/*
 * A connection to the master that sends packets to the SSH server outside any stream (PROTOCOL.mux, "proxy"
 * mode: the master encrypts the packets and interprets only those about channels).
 */
#ifndef OPENSSH_SIDE_H
#define OPENSSH_SIDE_H

#include <stdint.h>

/* Connects to the master at `control`, until side_close(). Does nothing if the master does not support proxy
 * mode. */
void side_open(const char *control);
/*
 * Must be called when a stream is requested: sends SSH_MSG_IGNORE packets to the server for a tenth of a
 * second. Each carries the acknowledgement of received data; sshd before 10.1 waits for that acknowledgement
 * before it sends the next small packet (40 ms if nothing is sent).
 */
void side_nudge(void);
/* Must be called when the stream is open and its first bytes are on their way: sends one more packet at
 * once. */
void side_nudge_now(void);
/*
 * Checks whether the server answers, by requesting a channel of an unknown type, which every server refuses
 * without running anything. `silent` is called, never before side_ask() returns, if it does not answer in
 * time. Does nothing while the last check is pending. Only for broker's own master, because OpenSSH's master
 * ends when a connection on which a channel was refused is closed.
 */
void side_ask(int64_t deadline, void (*silent)(void));
void side_close(void);

#endif
