/* SPDX-License-Identifier: MIT */
/* The tunnel of this process, whatever its kind. */
#ifndef KEEPER_TUNNELS_H
#define KEEPER_TUNNELS_H

#include <tunnel/tunnel.h>

/* See struct tunnel_kind; kinds without dial() use a socket pair. */
void tunnel_open(const struct target *target, void (*opened)(const struct err *e));
void tunnel_dial(struct dial *d);
void tunnel_undial(struct dial *d);
bool tunnel_hands_off(void); /* whether tunnel_handoff() is available, which copies fewer bytes */
void tunnel_handoff(struct handoff *j);
void tunnel_cancel(struct handoff *j);
bool tunnel_heard(struct handoff *j);
bool tunnel_is_up(void);
void tunnel_describe(struct buf *out);
void tunnel_close(void);

#endif
