/* SPDX-License-Identifier: MIT */
/*
 * Forwards: keepers that have a name and a control socket, `forward/NAME.sock` in the runtime folder. A
 * forward runs if its socket answers; there are no pid files. A name that is too long for a path is hashed;
 * the answer to STATUS has the real name.
 */
#ifndef SESSION_FORWARD_H
#define SESSION_FORWARD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <session/session.h>

struct forward {
    char *name, *host, *socket; /* the listener: host (or KEEPER_LOCALHOST) and port, or socket */
    unsigned port;
    bool makes_tls; /* at that end the keeper makes the TLS, and the client none */
    bool logs_in;   /* and logs in: clients are told the user and password of this run, which are of no use
                       elsewhere */
    char *user;
    struct secret *password; /* NULL unless it logs in */
    char *endpoint_host, *endpoint_socket;
    unsigned endpoint_port;
    long pid;
    bool up; /* false: the tunnel is lost, and made again at the next connection */
    unsigned connections;
    time_t started;
    char *digest; /* of what it was asked to be */
    char *log;    /* its log file, absolute; NULL: none */
    int channel;  /* to the keeper that this process has just started; -1 */
    bool running; /* it was already running */
};
#define FORWARD_INIT                                                                                         \
    {                                                                                                        \
        .channel = -1                                                                                        \
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
    bool inject; /* the keeper logs in; the session's plan is FOR_INJECT then, else FOR_FORWARD */
    long drain_ms;
    const char *log; /* absolute; NULL: none */
};
/* Checks what can be checked without looking at this machine: ERR_USAGE or ERR_CONFIG. */
int forward_check(const struct session *s, const struct forward_wanted *want, struct err *e);
/*
 * Opens one, or finds the running one of that name (out->running). The session has a plan and outlives
 * *out; a credential that the keeper logs in with is got now, so that what is wrong with it is known at once.
 * ERR_USAGE: what is wanted cannot be; ERR_UNREACHABLE: no route, the listener is taken, or a forward of
 * that name runs which is another.
 */
int forward_open(struct session *s, const struct forward_wanted *want, struct forward *out, struct err *e);

/* All running forwards, sorted by name. -1: one could not be asked (its keeper does not answer); *list still
 * has the others. */
int forward_list(struct forward **list, size_t *count, int64_t deadline, struct err *e);
/* 1: it runs, 0: it does not, -1: error. */
int forward_find(const char *name, struct forward *out, struct err *e);
/* Tells it to end and waits until it has, at most until the deadline. 1: it was running, 0: it was not, -1:
 * error. */
int forward_stop(const char *name, int64_t deadline, struct err *e);

/* Blocks SIGTERM, SIGINT and SIGHUP until forward_wait(). Call it before the forward is announced. */
void forward_hold_signals(void);
/*
 * Waits until all keepers that this process has started have ended. *ended_by: the signal (TERM, INT, HUP)
 * that told them to end; it then waits for their connections at most `drain_ms` and some seconds, or until a
 * second signal. 0: others stopped them. ERR_UNREACHABLE: one was killed, and the others are then ended too.
 */
int forward_wait(struct forward *list, size_t count, long drain_ms, int *ended_by, struct err *e);
/* Tells the detached keepers that this process has started to go on without it; until then they end with it.
 * -1: one could not be told, and all are ended. */
int forward_let_go(struct forward *list, size_t count, struct err *e);
/* Tells the keepers that this process has started to end, and waits for them. */
void forward_end(struct forward *list, size_t count);

#endif
