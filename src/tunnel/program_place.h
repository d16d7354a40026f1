/* SPDX-License-Identifier: MIT */
/* The local address of a tunnel's program: a fixed address, or a free port or socket that is chosen here and
 * passed to the program. */
#ifndef TUNNEL_PROGRAM_PLACE_H
#define TUNNEL_PROGRAM_PLACE_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/text.h>

#include "program.h"

struct program_place {
    struct program_end end;
    bool wants_port, wants_socket; /* {local_port} or {socket} is in its arguments */
};

/* Chooses the kind of address from the arguments in the key `command`, once. Returns 0, or -1 with
 * ERR_CONFIG. */
int place_choose(struct program_place *p, const struct target *target, const struct words *command,
                 struct err *e);
/* Must be called before each start: chooses a free port, or removes the socket of the last start. Returns 0,
 * or -1 with ERR_TRY_LATER. */
int place_renew(struct program_place *p, struct err *e);
/* Returns whether a process listens at the address; `ours`: only if it does not belong to another user. Finds
 * the host if it is not fixed. */
bool place_is_served(struct program_place *p, bool ours);
void place_put(const struct program_place *p, struct buf *out);

#endif
