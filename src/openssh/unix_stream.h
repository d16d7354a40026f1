/*
 * A stream to a unix socket on the far side by way of a forward of the master: it cannot be handed
 * descriptors for those before OpenSSH 9.4.
 */
#ifndef OPENSSH_UNIX_STREAM_H
#define OPENSSH_UNIX_STREAM_H

#include <stdint.h>

#include "mux.h"

struct socket_stream;

/* Connects to the local end `path`. use->answered() comes once the server has spoken, as MySQL's does at
 * once: MUX_NO where the connection ended before, never before the return. */
struct socket_stream *socket_ask(const char *path, int64_t deadline, const struct mux_use *use,
                                 void *context);
/* After MUX_YES: copies both ways between it and fd, which is taken over. use->ended() comes, perhaps at
 * once. */
void socket_carry(struct socket_stream *s, int fd);
/* No callback any more. */
void socket_stop(struct socket_stream *s);

#endif
