/*
 * Processes: hardening of our own, running a program and catching what it says, and becoming another program
 * with the user's own limits, umask and signals restored.
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

/* First call of every main: descriptors 0-2 open, umask 077, no core, not dumpable. Remembers what to
 * restore. */
void proc_harden(void);

/* For helpers, after proc_harden(): no inherited descriptor but 0-2, no new privileges, ends with its parent.
 */
void proc_confine(void);

/* As many descriptors as the hard limit allows; proc_restore() gives the user's own limit back. */
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
    int64_t deadline;              /* past it the program is ended and ERR_UNREACHABLE set */
    const char *waiting_for;       /* shown on a terminal after a second; NULL: silent */
    int64_t wait_ms;               /* what that line says it may take; 0: until the deadline */
    size_t max;                    /* bound of its stdout; ERR_DATA past it */
    int keep_fd;                   /* a descriptor that it inherits under the same number; 0: none */
    int owner;                     /* once it can be read, or is hung up, the program is ended; 0: none */
    bool inherit_stdin;            /* give it our stdin instead */
    bool may_ask; /* its stdin is the terminal, where a question may be asked; what it writes to stderr is
                     shown there once it has run for a second, and is then its own wait line */
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

/* Runs to the end. -1: it could not be started (126/127 codes), ran past the deadline, or said too much. */
int proc_capture(const struct proc_run *run, struct proc_result *result, struct err *e);

/* The hint for a program that failed: "run it by hand: MUST", and why it could not ask, if it could not.
 * Returns -1. */
int proc_hint_by_hand(const char *must, struct err *e);

/* "exit status 3", "killed by SIGTERM". */
void proc_describe_status(struct buf *out, int status);

/* A program by name on PATH (or a path with a slash), executable; malloced; NULL when there is none. */
char *proc_find(const char *name);
/* How much of a program's name may be shown: not the options (perhaps a password) of a whole command in one
 * word. */
int proc_name_length(const char *name);
/* Why proc_find() has found none: ERR_NOT_RUNNABLE where a path leads to something, else ERR_NOT_FOUND.
 * Returns -1.
 */
int proc_explain_missing(const char *name, struct err *e);

/* A child with its stdin and stdout as the two descriptors: a helper. ERR_CONFIG when it cannot be started.
 */
int proc_spawn_helper(const char *path, int *to, int *from, pid_t *pid, struct err *e);

/*
 * A program that may outlive us: nobody's child, in a session of its own. *line is one end of a stream socket
 * (close-on-exec) whose other end is its fds 0 and 1; 2 is /dev/null. Its fd 3 becomes readable, or is hung
 * up, when this process ends, which an exec is not; with `detached` it is closed. Nothing else of ours is
 * open in it. `env` may be NULL. ERR_CONFIG when it cannot be started.
 */
int proc_spawn_keeper(const char *path, const struct env_changes *env, bool detached, int *line,
                      struct err *e);

/* Becomes argv[0] (a path) with the user's own umask, limits and signals. Returns only on failure. */
int proc_exec(char *const *argv, const struct env_changes *env, struct err *e);

/* The folder of this executable, links resolved; malloced. */
char *proc_self_dir(void);

/* Gives a child that is about to exec the user's own umask, limits and signals back (async-signal-safe). */
void proc_restore(void);

#endif
