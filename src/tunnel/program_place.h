/* SPDX-License-Identifier: MIT */
/* Where the program of a tunnel listens: a fixed address, or a free port or socket that we choose and pass to
 * it. */
#ifndef TUNNEL_PROGRAM_PLACE_H
#define TUNNEL_PROGRAM_PLACE_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/text.h>

#include "program.h"

struct program_place {
    struct program_end end;
    bool wants_port, wants_socket; /* {local_port}, {socket} in its arguments */
};

/* Decides by the words of the key `command`, once. ERR_CONFIG. */
int place_choose(struct program_place *p, const struct target *target, const struct words *command,
                 struct err *e);
/* Called before each start: chooses a free port; removes the last start's socket. ERR_TRY_LATER. */
int place_renew(struct program_place *p, struct err *e);
/* Whether something listens there; `ours`: not another user's. Finds the host if it is not fixed. */
bool place_is_served(struct program_place *p, bool ours);
void place_put(const struct program_place *p, struct buf *out);

#endif
