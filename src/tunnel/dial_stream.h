/* SPDX-License-Identifier: MIT */
/* Serves a struct dial by connect(2): shared by the kinds direct, tcp and command. */
#ifndef TUNNEL_DIAL_STREAM_H
#define TUNNEL_DIAL_STREAM_H

#include <tunnel/tunnel.h>

/* `path`, or `host` and `port`, within the target's connect_timeout. `hint`: it is the end of a tunnel, which
 * at a loopback address must be of our own user or root's; and instead of the one for a server that is
 * dialled directly. NULL: such a server. Static. */
void stream_dial(struct dial *d, const struct target *target, const char *path, const char *host,
                 unsigned port, const char *hint);
void stream_undial(struct dial *d);

/* "/PATH" or "PORT HOST" taken apart: *path or *host point into a copy that lives lives as long as the
 * process. ERR_CONFIG. */
int stream_address(const char *text, const char **path, const char **host, unsigned *port, struct err *e);

#endif
