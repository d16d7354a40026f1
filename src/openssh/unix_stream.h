/* SPDX-License-Identifier: MIT */
/*
 * A stream to a unix socket on the far side through a forward of the master, because before OpenSSH 9.4 a
 * master cannot take descriptors for these.
 */
#ifndef OPENSSH_UNIX_STREAM_H
#define OPENSSH_UNIX_STREAM_H

#include <stdint.h>

#include "mux.h"

struct socket_stream;

/* Connects to the local address `path`. use->answered() is called once the server has sent data, as MySQL's
 * does at once; MUX_NO if the connection ended before. Never before the return. */
struct socket_stream *socket_ask(const char *path, int64_t deadline, const struct mux_use *use,
                                 void *context);
/* After MUX_YES: copies both ways between it and fd, of which it takes ownership. use->ended() is called,
 * perhaps at once. */
void socket_carry(struct socket_stream *s, int fd);
/* Calls no callback any more. */
void socket_stop(struct socket_stream *s);

#endif
