/* SPDX-License-Identifier: MIT */
/*
 * A program that the keeper runs: in its own process group, without the keeper's descriptors; the loop reads
 * its two outputs. It is ended by SIGTERM to the group, then SIGKILL after 2 s. Background processes outside
 * its group end with the keeper at the latest.
 */
#ifndef EVENT_CHILD_H
#define EVENT_CHILD_H

#include <base/buf.h>
#include <base/err.h>
#include <base/proc.h>
#include <event/loop.h>

struct child {
    pid_t pid;              /* 0: not running; already 0 while its last output is reported */
    int status;             /* as waitpid(2) gives it, once it has ended */
    struct buf stderr_tail; /* its stderr: the last 4 KiB, sanitised, in whole lines */
    /* Each chunk of its stdout; NULL: dropped. */
    void (*printed)(struct child *c, const char *bytes, size_t n);
    /* Called for each raw line of its stderr that begins with "debug"; such lines are then not in
     * `stderr_tail`. NULL: they are like all others. */
    void (*debugged)(struct child *c, const char *line);
    /* Called once, after it has ended and its outputs are drained. Not called after child_forget(). */
    void (*ended)(struct child *c);
    struct watch out, err, life;
    bool whole; /* set by the caller: its background processes end when it ends */
    bool asks;  /* set before: it may ask on the terminal, if there is one (event/terminal.h) */
    int socket; /* set before: its stdin and stdout, instead of /dev/null and printed(); borrowed; -1 */
    bool left;  /* set when it has ended: it left background processes */
};
#define CHILD_INIT                                                                                           \
    {                                                                                                        \
        .stderr_tail = BUF_INIT(8192), .out.fd = -1, .err.fd = -1, .life.fd = -1, .socket = -1               \
    }

/* argv[0] is a path. stdin: /dev/null, if it has no socket. Set the callbacks before. ERR_NOT_FOUND,
 * ERR_NOT_RUNNABLE. */
int child_start(struct child *c, char *const *argv, const struct env_changes *env, struct err *e);
/* Sends SIGTERM to its group now, SIGKILL after 2 s; ended() is called later. */
void child_end(struct child *c);
/* Ends it, perhaps in the background, and calls no callback any more; the struct may then be freed. */
void child_forget(struct child *c);
/* For the keeper's own exit: every group and background process gets SIGTERM, after 2 s SIGKILL, and is
 * reaped. Blocks for at most 6 s. */
void child_end_all(void);

#endif
