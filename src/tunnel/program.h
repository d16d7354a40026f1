/* SPDX-License-Identifier: MIT */
/* The program of a tunnel of type `command`: one start of it until its local address is ready, and its exit.
 * command.c decides when it is started. */
#ifndef TUNNEL_PROGRAM_H
#define TUNNEL_PROGRAM_H

#include <base/err.h>
#include <tunnel/service.h>

/* Where it listens. */
struct program_end {
    const char *path, *host; /* one of the two */
    unsigned port;
};

/* Reads the tunnel's keys, once; the target is kept, and so is the service that is told what becomes of it.
 * ERR_CONFIG naming the key. */
int program_prepare(const struct target *target, struct tunnel_service *service, struct err *e);
/* Starts it: the service is settled once it is ready, or once it is known why not, with its stderr as
 * details; it has then been ended. */
void program_start(void);
/* Ends its process group; calls no callback any more. */
void program_stop(void);
/* Valid while it is ready. */
const struct program_end *program_local_end(void);
/* For messages: the program's name, without folder and arguments. "" before it is prepared. */
const char *program_name(void);

#endif
