/* SPDX-License-Identifier: MIT */
/*
 * Processes: hardening our own, running a program and capturing its output, and exec'ing another program with
 * the user's own limits, umask and signals restored.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>
#include <base/text.h>

/* The first call of every main(): opens descriptors 0-2 if closed, sets umask 077, no core dumps, not
 * dumpable. Remembers what to restore. */
void proc_harden(void);

/* For helpers, after proc_harden(): closes inherited descriptors except 0-2, sets no_new_privs, ends with its
 * parent. */
void proc_confine(void);

/* Raises the descriptor limit to the hard limit; proc_restore() restores the user's own limit. */
void proc_raise_files(void);

/* Environment changes, applied to a copy of the caller's environment. */
struct env_change {
    char *name, *value; /* value NULL: unset */
    bool secret;        /* wiped on release */
};
struct env_changes {
    struct env_change *item;
    size_t count;
};
void env_set(struct env_changes *c, const char *name, const char *value);
void env_set_secret(struct env_changes *c, const char *name, const struct secret *value);
void env_unset(struct env_changes *c, const char *name);
void env_release(struct env_changes *c);
/* The caller's environment with the changes applied; env_free() wipes it. `c` may be NULL. */
char **env_build(const struct env_changes *c);
void env_free(char **env);

/* The program stays in our process group, so that Ctrl-C reaches it and it may use the terminal. */
struct proc_run {
    char *const *argv;             /* argv[0] is a path (no PATH look-up) */
    const struct env_changes *env; /* may be NULL */
    const struct secret *input;    /* its stdin; NULL: /dev/null */
    int64_t deadline;              /* past it the program is killed: ERR_UNREACHABLE */
    const char *waiting_for;       /* shown on a terminal after a second; NULL: not shown */
    int64_t wait_ms;               /* the limit that this line shows; 0: until the deadline */
    size_t max;                    /* bound of its stdout; ERR_DATA past it */
    int keep_fd;                   /* a descriptor that it inherits under the same number; 0: none */
    int owner;                     /* the program is killed when this is readable or hung up; 0: none */
    bool inherit_stdin;            /* it inherits our stdin instead */
    bool may_ask; /* its stdin is the terminal if questions are allowed; its stderr is shown there once it has
                     run for a second, in place of a wait line */
};

struct proc_result {
    struct secret *out; /* its stdout; may hold a secret, so it is one. The caller frees. */
    struct buf err;     /* its stderr: the last 4 KiB, sanitised */
    int status;         /* as waitpid(2) gives it */
};
#define PROC_RESULT_INIT                                                                                     \
    {                                                                                                        \
        .err = BUF_INIT(8192)                                                                                \
    }
#define AUTO_PROC_RESULT(name)                                                                               \
    __attribute__((cleanup(proc_result_release))) struct proc_result name = PROC_RESULT_INIT
void proc_result_release(struct proc_result *r);

/* Runs a program to its end. -1: it could not be started (codes 126 and 127), ran past the deadline, or
 * printed too much. */
int proc_capture(const struct proc_run *run, struct proc_result *result, struct err *e);

/* Sets the hint for a program that failed: "run it by hand: MUST", and why it could not ask questions, if so.
 * Returns -1. */
int proc_hint_by_hand(const char *must, struct err *e);

/* Runs argv[0], a path, with our own stdin, stdout and stderr, for as long as it takes: an editor. Ctrl-C is
 * the program's alone meanwhile. -1: it could not be started (126/127 codes). */
int proc_foreground(char *const *argv, int *status, struct err *e);

/* Waits until a child has ended, but not much longer than `ms` and perhaps less. It is to be reaped
 * afterwards, without blocking. */
void proc_await_end(pid_t child, int ms);

/* "exit status 3", "killed by SIGTERM". */
void proc_describe_status(struct buf *out, int status);

/* Finds an executable by name on PATH, or by a path with a slash; malloced; NULL if there is none. */
char *proc_find(const char *name);
/* The length of a program's name that may be shown: if a whole command was given as one word, its options,
 * which may hold a password, are left out. */
int proc_name_length(const char *name);
/* Explains why proc_find() found nothing: ERR_NOT_RUNNABLE if the path exists, else ERR_NOT_FOUND. Returns
 * -1. */
int proc_explain_missing(const char *name, struct err *e);

/* Starts a helper: a child whose stdin and stdout are the two descriptors. `env` may be NULL. ERR_CONFIG if
 * it cannot be started. */
int proc_spawn_helper(const char *path, const struct env_changes *env, int *to, int *from, pid_t *pid,
                      struct err *e);

/*
 * Starts a program that may outlive us: it is reparented to init and has its own session. *line is one end of
 * a stream socket (close-on-exec) whose other end is its fds 0 and 1; 2 is /dev/null. Its fd 3 becomes
 * readable or is hung up when this process ends (an exec does not count); with `detached` it is closed. It
 * inherits no other descriptor, but `terminal` as its fd 4 (-1: none). `env` may be NULL. ERR_CONFIG if it
 * cannot be started.
 */
int proc_spawn_keeper(const char *path, const struct env_changes *env, bool detached, int terminal, int *line,
                      struct err *e);

/* Execs argv[0] (a path) with the user's own umask, limits and signals. Returns only on failure. */
int proc_exec(char *const *argv, const struct env_changes *env, struct err *e);

/* The folder of this executable, links resolved; malloced. */
char *proc_self_dir(void);

/* Restores the user's own umask, limits and signals in a child that is about to exec (async-signal-safe). */
void proc_restore(void);

#endif
