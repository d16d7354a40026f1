/* SPDX-License-Identifier: MIT */
/*
 * A program that the keeper runs: in its own process group, and without the keeper's descriptors. The event
 * loop reads its stdout and stderr. It is ended with SIGTERM to the group, then SIGKILL after 2 s. Background
 * processes outside its group are ended when the keeper ends, or earlier.
 */
#ifndef EVENT_CHILD_H
#define EVENT_CHILD_H

#include <base/buf.h>
#include <base/err.h>
#include <base/proc.h>
#include <event/loop.h>

struct child {
    pid_t pid;              /* 0: not running; already 0 while its last output is reported */
    int status;             /* exit status as from waitpid(2), once it has ended */
    struct buf stderr_tail; /* the last 4 KiB of its stderr, sanitised, whole lines */
    /* Called for each chunk of its stdout; NULL: stdout is dropped. */
    void (*printed)(struct child *c, const char *bytes, size_t n);
    /* Called for each raw line of its stderr that begins with "debug"; such lines are then not in
     * `stderr_tail`. NULL: they are treated like other lines. */
    void (*debugged)(struct child *c, const char *line);
    /* Called once, after the program has ended and its outputs are drained. Not called after
     * child_forget(). */
    void (*ended)(struct child *c);
    struct watch out, err, life;
    bool whole; /* set by the caller: end its background processes when it ends */
    bool asks;  /* set by the caller: it may ask on the terminal, if there is one (event/terminal.h) */
    int socket; /* set by the caller: used as stdin and stdout, without printed(); borrowed; -1: none */
    bool left;  /* set when it has ended: it left background processes */
};
#define CHILD_INIT                                                                                           \
    {                                                                                                        \
        .stderr_tail = BUF_INIT(8192), .out.fd = -1, .err.fd = -1, .life.fd = -1, .socket = -1               \
    }

/* Starts a program; argv[0] is a path. Its stdin is /dev/null unless `socket` is set. The callbacks must be
 * set before. Returns 0, or -1 with ERR_NOT_FOUND or ERR_NOT_RUNNABLE. */
int child_start(struct child *c, char *const *argv, const struct env_changes *env, struct err *e);
/* Sends SIGTERM to the program's group now and SIGKILL after 2 s; ended() is called later. */
void child_end(struct child *c);
/* Ends the program, perhaps in the background, and calls no callback any more; the struct may then be
 * freed. */
void child_forget(struct child *c);
/* Called when the keeper exits: sends SIGTERM to every group and background process, SIGKILL after 2 s, and
 * reaps them. Blocks for at most 6 s. */
void child_end_all(void);

#endif
