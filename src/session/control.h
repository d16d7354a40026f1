/* SPDX-License-Identifier: MIT */
/* The control sockets of forwards: where they are, and one request to one of them. */
#ifndef SESSION_CONTROL_H
#define SESSION_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include <base/err.h>
#include <ipc/record.h>

struct control {
    int fd;
    pid_t pid; /* whose it is; 0: unknown */
};
#define CONTROL_INIT                                                                                         \
    {                                                                                                        \
        .fd = -1                                                                                             \
    }
void control_close(struct control *c);
#define AUTO_CONTROL(name) __attribute__((cleanup(control_close))) struct control name = CONTROL_INIT

/* The socket of the forward of that name, and the name of its lock; malloced. */
int control_place(const char *name, char **path, char **lock, struct err *e);

/* 1: connected, 0: nothing listens there, -1: it is not ours, or does not accept the connection in time. */
int control_open(const char *path, int64_t deadline, struct control *c, struct err *e);
/* 1: answered with OK, 0: it ended instead, -1: error. */
int control_ask(const struct control *c, uint8_t verb, int64_t deadline, struct record *answer,
                struct err *e);

#endif
