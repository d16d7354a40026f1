/*
 * A connection to the master by which packets reach the far side that belong to no stream (PROTOCOL.mux,
 * "proxy" mode: the master encrypts what it gets, and looks only at what concerns channels).
 */
#ifndef OPENSSH_SIDE_H
#define OPENSSH_SIDE_H

#include <stdint.h>

/* To the master behind `control`, until side_close(). A master that has no such mode does without. */
void side_open(const char *control);
/*
 * A stream is asked for: sends the far side a packet that means nothing (SSH_MSG_IGNORE) now and then for a
 * tenth of a second. With each goes the acknowledgement of what has come, for which an sshd before 10.1 waits
 * before it sends the next small packet, 40 ms if nothing is sent.
 */
void side_nudge(void);
/* The stream is there, and its first bytes are on the way: one more at once. */
void side_nudge_now(void);
/*
 * Asks the far side for what no server has, a channel of a type of our own, and so whether it is there: it
 * has to refuse that, and runs nothing. `silent`, never before the return: it has not answered in time.
 * Nothing where the last question is still open. Only of a master of our own: OpenSSH's ends when the
 * connection is closed by which a channel was refused.
 */
void side_ask(int64_t deadline, void (*silent)(void));
void side_close(void);

#endif
