/* SPDX-License-Identifier: MIT */
/*
 * A stream to a unix socket on the SSH server, through a forward of the master: before OpenSSH 9.4 a master
 * cannot take descriptors for these.
 */
#ifndef OPENSSH_UNIX_STREAM_H
#define OPENSSH_UNIX_STREAM_H

#include <stdint.h>

#include "mux.h"

struct socket_stream;

/* Connects to the local socket `path`. use->answered() is called, never before socket_ask() returns, with
 * MUX_YES once the server has sent data, which MySQL does at once; or with MUX_NO if the connection ended
 * before. */
struct socket_stream *socket_ask(const char *path, int64_t deadline, const struct mux_use *use,
                                 void *context);
/* After MUX_YES: copies in both directions between the stream and `fd`, and takes ownership of `fd`.
 * use->ended() is called at the end, perhaps at once. */
void socket_carry(struct socket_stream *s, int fd);
/* Ends the stream; no callback is called any more. */
void socket_stop(struct socket_stream *s);

#endif
