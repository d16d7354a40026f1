/* SPDX-License-Identifier: MIT */
/* The program of a tunnel of type `command`: one start of it until its local address is ready, and its exit.
 * command.c decides when it is started. */
#ifndef TUNNEL_PROGRAM_H
#define TUNNEL_PROGRAM_H

#include <base/err.h>
#include <tunnel/target.h>

/* Where it listens. */
struct program_end {
    const char *path, *host; /* one of the two */
    unsigned port;
};

/* Reads the tunnel's keys, once; the target is kept. ERR_CONFIG naming the key. */
int program_prepare(const struct target *target, struct err *e);
/*
 * Starts it. `settled` is called once, perhaps at once: ready (NULL), or why not, with its stderr as details;
 * it has then been ended. After NULL, `lost` is called once when it has ended, with the reason.
 */
void program_start(void (*settled)(const struct err *e), void (*lost)(const struct err *e));
/* Ends its process group; calls no callback any more. */
void program_stop(void);
/* Valid while it is ready. */
const struct program_end *program_local_end(void);
/* For messages: the program's name, without folder and arguments. "" before it is prepared. */
const char *program_name(void);

#endif
