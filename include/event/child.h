/*
 * A program that the keeper runs: in a process group of its own, without the keeper's descriptors, its two
 * outputs read by the loop. Ended with TERM to the group, then KILL after 2 s; what it has put into the
 * background, beyond its group, ends with the keeper at the latest.
 */
#ifndef EVENT_CHILD_H
#define EVENT_CHILD_H

#include <base/buf.h>
#include <base/err.h>
#include <base/proc.h>
#include <event/loop.h>

struct child {
    pid_t pid;       /* 0: does not run; 0 already for what it printed last */
    int status;      /* as waitpid(2) gives it, once it has ended */
    struct buf said; /* its stderr: the last 4 KiB, sanitised, whole lines for people */
    /* Each chunk of its stdout; NULL: dropped. */
    void (*printed)(struct child *c, const char *bytes, size_t n);
    /* Each line of its stderr that begins with "debug", as it came: such lines are not in `said`. NULL: they
     * are as all others. */
    void (*debugged)(struct child *c, const char *line);
    /* Once, when it has ended and its outputs are drained. Not called after child_forget(). */
    void (*ended)(struct child *c);
    struct watch out, err, life;
    bool whole; /* set before: what it has put into the background ends when it ends */
    bool asks;  /* set before: it may ask on the terminal, if there is one (event/terminal.h) */
    bool left;  /* once it has ended: there is something of it in the background */
};
#define CHILD_INIT                                                                                           \
    {                                                                                                        \
        .said = BUF_INIT(8192), .out.fd = -1, .err.fd = -1, .life.fd = -1                                    \
    }

/* argv[0] is a path. stdin: /dev/null. The callbacks are set before. ERR_NOT_FOUND, ERR_NOT_RUNNABLE. */
int child_start(struct child *c, char *const *argv, const struct env_changes *env, struct err *e);
/* TERM to its group now, KILL after 2 s; ended() comes later. */
void child_end(struct child *c);
/* Ends it for good, at once or in the background, and calls back no more; the struct may be freed then. */
void child_forget(struct child *c);
/* At the keeper's own end: every group, and whatever is in the background, gets TERM, 2 s, KILL, and is
 * reaped. Blocks for 6 s at most. */
void child_end_all(void);

#endif
