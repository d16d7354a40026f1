/* SPDX-License-Identifier: MIT */
/* The control sockets of forwards: their paths, and one request to one of them. */
#ifndef SESSION_CONTROL_H
#define SESSION_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include <base/err.h>
#include <ipc/record.h>

struct control {
    int fd;
    pid_t pid; /* the keeper's process; 0: unknown */
};
#define CONTROL_INIT                                                                                         \
    {                                                                                                        \
        .fd = -1                                                                                             \
    }
void control_close(struct control *c);
#define AUTO_CONTROL(name) __attribute__((cleanup(control_close))) struct control name = CONTROL_INIT

/* Gets the path of a forward's control socket and the name of its lock file; both malloced. */
int control_place(const char *name, char **path, char **lock, struct err *e);

/* Returns 1 if connected, 0 if no process listens there, -1 if the socket is not ours or does not accept the
 * connection in time. */
int control_open(const char *path, int64_t deadline, struct control *c, struct err *e);
/* Sends a request. Returns 1 if the keeper answered OK, 0 if it ended instead, -1 on error. */
int control_ask(const struct control *c, uint8_t verb, int64_t deadline, struct record *answer,
                struct err *e);

#endif
