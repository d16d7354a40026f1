/* SPDX-License-Identifier: MIT */
/*
 * Forwards: keepers that have a name and a control socket, `forward/NAME.sock` in the runtime folder. A
 * forward is running if its control socket answers; there are no pid files. A name that is too long for a
 * path is hashed; the answer to STATUS has the real name.
 */
#ifndef SESSION_FORWARD_H
#define SESSION_FORWARD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <session/session.h>

struct forward {
    char *name, *host, *socket; /* the listener's address: host (or KEEPER_LOCALHOST) and port, or socket */
    unsigned port;
    bool makes_tls; /* clients connect to this listener without TLS, and the keeper uses TLS to the server */
    bool logs_in; /* the keeper logs in to the server; clients log in to the keeper with the user and password
                     of this run */
    char *user;
    struct secret *password; /* the password for clients; NULL unless logs_in */
    char *endpoint_host, *endpoint_socket;
    unsigned endpoint_port;
    long pid;
    bool up; /* false: the tunnel is down; it is opened again at the next connection */
    unsigned connections;
    time_t started;
    char *digest; /* a digest of the settings with which it was started */
    char *log;    /* absolute path of its log file; NULL: none */
    int channel;  /* a socket to the keeper, if this process has just started it; otherwise -1 */
    bool running; /* it was running already */
};
#define FORWARD_INIT                                                                                         \
    {                                                                                                        \
        .channel = -1                                                                                        \
    }
void forward_release(struct forward *f);
/* Frees the items, and the list if it is not NULL. */
void forward_list_free(struct forward *list, size_t count);

/* Appends "127.0.0.1:41207", "[::1]:41207" or the socket's path. */
void forward_address(const struct forward *f, struct buf *out);
/* Returns the host to connect to, the IPv4 address if it listens on both addresses of localhost; NULL:
 * connect to the socket. */
const char *forward_host(const struct forward *f);

struct forward_wanted {
    const char *listen; /* from --listen or the key: ADDR:PORT or /PATH */
    bool listen_given;  /* `listen` comes from the command line */
    bool terminate_tls, detach;
    bool inject; /* the keeper logs in: the session's plan is FOR_INJECT; otherwise FOR_FORWARD */
    long drain_ms;
    const char *log; /* absolute path of the log file; NULL: none */
};
/* Checks the request as far as that is possible without looking at this machine. ERR_USAGE or ERR_CONFIG. */
int forward_check(const struct session *s, const struct forward_wanted *want, struct err *e);
/*
 * Opens a forward, or finds the running one of that name (out->running). The session must have a plan and
 * outlive *out. If the keeper is to log in, the credential is fetched now, so that errors are reported at
 * once. ERR_USAGE: the request is not possible; ERR_UNREACHABLE: no route to the server, the address is in
 * use, or a forward of that name with other settings is running.
 */
int forward_open(struct session *s, const struct forward_wanted *want, struct forward *out, struct err *e);

/* Gets all running forwards, sorted by name. Returns -1 if a keeper did not answer; *list still has the
 * others. */
int forward_list(struct forward **list, size_t *count, int64_t deadline, struct err *e);
/* Looks up a forward by its name. Returns 1 if it is running, 0 if not, -1 on error. */
int forward_find(const char *name, struct forward *out, struct err *e);
/* Tells a forward to end and waits until it has ended, or until the deadline. Returns 1 if it was running, 0
 * if not, -1 on error. */
int forward_stop(const char *name, int64_t deadline, struct err *e);

/* Blocks SIGTERM, SIGINT and SIGHUP until forward_wait(). Call it before the forwards are announced. */
void forward_hold_signals(void);
/*
 * Waits until all keepers started by this process have ended. If a signal (TERM, INT, HUP) asks for that,
 * *ended_by is its number, and open connections get at most `drain_ms` and some seconds to finish, or until a
 * second signal. *ended_by is 0 if another process stopped them. ERR_UNREACHABLE: a keeper was killed; the
 * others are then ended too.
 */
int forward_wait(struct forward *list, size_t count, long drain_ms, int *ended_by, struct err *e);
/* Tells the detached keepers started by this process to keep running when it ends. Returns -1 if one of them
 * could not be told; then all are ended. */
int forward_let_go(struct forward *list, size_t count, struct err *e);
/* Tells the keepers started by this process to end, and waits until they have ended. */
void forward_end(struct forward *list, size_t count);

#endif
