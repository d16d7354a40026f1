/*
 * Forwards: keepers that have a name and a control socket, `forward/NAME.sock` in the runtime folder. A
 * socket that answers is a forward that runs; there are no pid files. Names too long for a path are hashed;
 * the answer to STATUS has the name.
 */
#ifndef SESSION_FORWARD_H
#define SESSION_FORWARD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <session/session.h>

struct forward {
    char *name, *host, *socket; /* the local end: host (or KEEPER_LOCALHOST) and port, or socket */
    unsigned port;
    char *endpoint_host, *endpoint_socket;
    unsigned endpoint_port;
    long pid;
    bool up; /* false: the tunnel is lost, and made again at the next connection */
    unsigned connections;
    time_t started;
    char *digest; /* of what it was asked to be */
    int line;     /* to the keeper that this process has just started; -1 */
    bool running; /* it ran before */
};
#define FORWARD_INIT                                                                                         \
    {                                                                                                        \
        .line = -1                                                                                           \
    }
void forward_release(struct forward *f);
/* A list and its items, which may be NULL. */
void forward_list_free(struct forward *list, size_t count);

/* "127.0.0.1:41207", "[::1]:41207" or the path. */
void forward_address(const struct forward *f, struct buf *out);
/* What to dial: of localhost, where it listens at both addresses, that of IPv4. NULL: the socket. */
const char *forward_host(const struct forward *f);

struct forward_wanted {
    const char *listen; /* --listen or the key: ADDR:PORT or /PATH */
    bool listen_given;  /* on the command line */
    bool terminate_tls, detach;
    long drain_ms;
    const char *log; /* absolute; NULL: none */
};
/* What can be said of it without looking at this machine: ERR_USAGE or ERR_CONFIG for what cannot be. */
int forward_check(const struct session *s, const struct forward_wanted *want, struct err *e);
/*
 * Opens one, or finds the running one of that name (out->running). The session has a plan (FOR_FORWARD) and
 * outlives *out. ERR_USAGE: what is wanted cannot be; ERR_UNREACHABLE: no way, the local end is taken, or a
 * forward of that name runs which is another.
 */
int forward_open(struct session *s, const struct forward_wanted *want, struct forward *out, struct err *e);

/* All that run, by name. -1: the first that cannot be asked (its keeper does not answer); *list has the
 * others all the same. */
int forward_list(struct forward **list, size_t *count, int64_t deadline, struct err *e);
/* 1: it runs, 0: it does not, -1. */
int forward_find(const char *name, struct forward *out, struct err *e);
/* Tells it to end and waits until it has, at most until the deadline. 1: it ran, 0: it did not, -1. */
int forward_stop(const char *name, int64_t deadline, struct err *e);

/* From now on TERM, INT and HUP wait for forward_wait(): before anybody learns of the forward. */
void forward_hold_signals(void);
/*
 * Stays with the keepers that this process has started until all have ended. *ended_by: the signal (TERM,
 * INT, HUP) at which they were told to end and have drained, at most until `drain_ms` and some seconds have
 * passed or a second signal comes; 0: they were stopped by others. ERR_UNREACHABLE: one was killed; the
 * others are ended then.
 */
int forward_wait(struct forward *list, size_t count, long drain_ms, int *ended_by, struct err *e);
/* Detached ones that this process has started go on without it. Where it ends before, they end too; -1: one
 * cannot be told, and all are ended. */
int forward_let_go(struct forward *list, size_t count, struct err *e);
/* Ends those that this process has started: told, and waited for. */
void forward_end(struct forward *list, size_t count);

#endif
