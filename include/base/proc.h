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

/* Hardens this process: opens descriptors 0 to 2 if they are closed, sets umask 077, forbids core dumps and
 * debuggers. Saves what proc_restore() restores. Every main() calls it first. */
void proc_harden(void);

/* For helpers, after proc_harden(): closes inherited descriptors other than 0 to 2, sets no_new_privs, and
 * ends this process when its parent ends. */
void proc_confine(void);

/* Raises the descriptor limit to the hard limit; proc_restore() restores the user's own limit. */
void proc_raise_files(void);

/* Environment changes, applied to a copy of the caller's environment. */
struct env_change {
    char *name, *value; /* value NULL: unset the variable */
    bool secret;        /* the value is wiped when it is freed */
};
struct env_changes {
    struct env_change *item;
    size_t count;
};
void env_set(struct env_changes *c, const char *name, const char *value);
void env_set_secret(struct env_changes *c, const char *name, const struct secret *value);
void env_unset(struct env_changes *c, const char *name);
void env_release(struct env_changes *c);
/* Returns the caller's environment with the changes applied; the caller passes it to env_free(), which wipes
 * it. `c` may be NULL. */
char **env_build(const struct env_changes *c);
void env_free(char **env);

/* A program to run. It stays in our process group, so that Ctrl-C reaches it and it may use the terminal. */
struct proc_run {
    char *const *argv;             /* argv[0] is a path (PATH is not searched) */
    const struct env_changes *env; /* changes to its environment; may be NULL */
    const struct secret *input;    /* its stdin; NULL: /dev/null */
    int64_t deadline;              /* the program is killed after this time: ERR_UNREACHABLE */
    const char *waiting_for;       /* text of the wait line, shown after a second; NULL: no wait line */
    int64_t wait_ms;               /* the limit that the wait line shows; 0: until the deadline */
    size_t max;                    /* the most bytes of stdout; more is ERR_DATA */
    int keep_fd;                   /* a descriptor that it inherits under the same number; 0: none */
    int owner;                     /* the program is killed when this is readable or hung up; 0: none */
    bool inherit_stdin;            /* the program inherits our stdin instead of `input` */
    bool may_ask; /* if questions are allowed, stdin is the terminal, and after a second the wait line is
                     replaced by the program's stderr */
};

struct proc_result {
    struct secret *out; /* its stdout, which may hold a secret; the caller frees it */
    struct buf err;     /* its stderr: the last 4 KiB, sanitised */
    int status;         /* its exit status as from waitpid(2) */
};
#define PROC_RESULT_INIT                                                                                     \
    {                                                                                                        \
        .err = BUF_INIT(8192)                                                                                \
    }
#define AUTO_PROC_RESULT(name)                                                                               \
    __attribute__((cleanup(proc_result_release))) struct proc_result name = PROC_RESULT_INIT
void proc_result_release(struct proc_result *r);

/* Runs a program to its end. Returns -1 if it could not be started (codes 126 and 127), ran past the
 * deadline, or printed too much. */
int proc_capture(const struct proc_run *run, struct proc_result *result, struct err *e);

/* Sets the hint for a failed program: "run it by hand: MUST", and the reason if the program was not allowed
 * to ask questions. Returns -1. */
int proc_hint_by_hand(const char *must, struct err *e);

/*
 * Runs an interactive program, such as an editor, with our stdin, stdout and stderr and without a time limit.
 * argv[0] is a path. While it runs, Ctrl-C affects only the program. Returns -1 if it could not be started
 * (codes 126 and 127).
 */
int proc_foreground(char *const *argv, int *status, struct err *e);

/* Waits about `ms`, or less if the child ends before that. The caller then reaps the child, without blocking.
 * */
void proc_await_end(pid_t child, int ms);

/* Appends "exit status 3" or "killed by SIGTERM". */
void proc_describe_status(struct buf *out, int status);

/* Finds an executable by name on PATH, or by a path with a slash; malloced; NULL if it is not found. */
char *proc_find(const char *name);
/* Returns how many bytes of a program's name may be shown. If a whole command line was given as the name, its
 * options, which may hold a password, are not included. */
int proc_name_length(const char *name);
/* Reports why proc_find() found nothing: ERR_NOT_RUNNABLE if the path exists, else ERR_NOT_FOUND. Returns -1.
 * */
int proc_explain_missing(const char *name, struct err *e);

/* Starts a helper as a child process. *to is connected to its stdin and *from to its stdout. `env` may be
 * NULL. ERR_CONFIG if it cannot be started. */
int proc_spawn_helper(const char *path, const struct env_changes *env, int *to, int *from, pid_t *pid,
                      struct err *e);

/*
 * Starts a program that may outlive us: it has its own session and init as its parent. *line is one end of a
 * stream socket (close-on-exec) whose other end is its fds 0 and 1; its fd 2 is /dev/null. Its fd 3 becomes
 * readable or is hung up when this process ends (an exec does not count); with `detached` it is closed. Its
 * fd 4 is `terminal`, unless that is -1. It inherits no other descriptor. `env` may be NULL. ERR_CONFIG if it
 * cannot be started.
 */
int proc_spawn_keeper(const char *path, const struct env_changes *env, bool detached, int terminal, int *line,
                      struct err *e);

/* Execs argv[0] (a path) with the user's own umask, limits and signals. Returns only on failure. */
int proc_exec(char *const *argv, const struct env_changes *env, struct err *e);

/* Returns the folder of this executable, with symlinks resolved; malloced. */
char *proc_self_dir(void);

/* Restores the user's own umask, limits and signals in a child that is about to exec (async-signal-safe). */
void proc_restore(void);

#endif
