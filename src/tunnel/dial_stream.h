/* SPDX-License-Identifier: MIT */
/* Serves a struct dial with connect(2); used by the tunnel kinds direct, tcp and command. */
#ifndef TUNNEL_DIAL_STREAM_H
#define TUNNEL_DIAL_STREAM_H

#include <tunnel/tunnel.h>

/* Connects to `path`, or to `host` and `port`, within the target's connect_timeout. `hint` is NULL for a
 * server that is dialled directly. Otherwise the address is the local address of a tunnel, `hint` (static) is
 * added to errors, and a listener at a loopback address must belong to this user or root. */
void stream_dial(struct dial *d, const struct target *target, const char *path, const char *host,
                 unsigned port, const char *hint);
void stream_undial(struct dial *d);

/* Parses "/PATH" or "PORT HOST". *path or *host point into a copy that lives as long as the process. Returns
 * 0, or -1 with ERR_CONFIG. */
int stream_address(const char *text, const char **path, const char **host, unsigned *port, struct err *e);

#endif
