/* SPDX-License-Identifier: MIT */
/* The program of a tunnel of type `command`: from its start until its local address is ready, and its exit.
 * command.c decides when it is started. */
#ifndef TUNNEL_PROGRAM_H
#define TUNNEL_PROGRAM_H

#include <base/err.h>
#include <tunnel/service.h>

/* The local address at which the program listens. */
struct program_end {
    const char *path, *host; /* either path or host is set */
    unsigned port;
};

/* Reads the tunnel's keys, once. The target and the service must stay valid; the service is told when the
 * program is ready or has ended. Returns 0, or -1 with ERR_CONFIG that names the key. */
int program_prepare(const struct target *target, struct tunnel_service *service, struct err *e);
/* Starts the program. service_settled() is called when it is ready, or has failed: then with its stderr as
 * details, after it was ended. */
void program_start(void);
/* Ends the program's process group; no callback is called any more. */
void program_stop(void);
/* Returns the program's local address; valid while the program is ready. */
const struct program_end *program_local_end(void);
/* Returns the program's name for messages, without folder and arguments; "" before program_prepare(). */
const char *program_name(void);

#endif
