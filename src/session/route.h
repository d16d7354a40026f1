/* SPDX-License-Identifier: MIT */
/*
 * The route to the server through the keeper: starting broker-keeper, answering its questions, learning where
 * its listeners are. A direct route without a keeper never comes here.
 */
#ifndef SESSION_ROUTE_H
#define SESSION_ROUTE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <ipc/keeper.h>
#include <session/plan.h>

struct route_request {
    struct local_address listener[2];
    unsigned listeners;
    bool lasts;                 /* it is a forward */
    bool first;                 /* dial before it is ready, for the first connection */
    bool detached;              /* the keeper outlives us */
    const char *name, *control; /* of a forward; NULL */
    const char *log;            /* absolute; NULL */
    const char *digest;         /* the same: KEEPER_TAG_DIGEST */
    int64_t drain_ms;
};
struct route {
    int channel; /* to the keeper, close-on-exec; -1 */
    long pid;
    bool asked; /* a person had to answer */
    char *text; /* "ssh ec2-user@bastion.example.com:22, libssh2" */
    struct local_address listener[2];
    unsigned listeners;
    struct secret *password; /* of this run, which clients at a port must have; NULL: there is none */
    struct secret *nothing;  /* the empty one, for clients that need none */
};
#define ROUTE_INIT                                                                                           \
    {                                                                                                        \
        .channel = -1                                                                                        \
    }
void route_release(struct route *w);
/* Tells the keeper to end, though this process goes on; nothing where there is none. */
void route_stop(struct route *w);

/*
 * For a client whose output is read: from now on its keeper's errors are told to clients as *mark (malloced;
 * NULL where that failed), which no server knows. route_unmark() ends that; -1: such an error was told, and
 * is *e.
 */
void route_mark(struct route *w, char **mark);
int route_unmark(struct route *w, struct err *e);

/* The user that clients are told where only the credential says whose it is: the keeper takes any. */
#define ROUTE_ANY_USER "broker"

/*
 * Gives the keeper the credential that it logs in with. `is_kept`: it cannot be asked for again. A later one
 * replaces it. -1: the keeper has gone, or what it says.
 */
int route_credential(struct route *w, const struct credential *c, bool is_kept, struct err *e);

/* Tells the keeper when the credential that its clients use expires: it warns in its log before. */
void route_expires(struct route *w, time_t at);

/* Whether the keeper is to log in at its listeners, which are then all of that kind. */
bool route_logs_in(const struct route_request *want);
/* Whether one of the listeners is a port, to which processes of other users can connect, too. */
bool route_has_port(const struct route_request *want);
/* The record OPEN. `password`: what clients at a port must have; NULL: none. `deadline`: of the whole run. */
void route_record(const struct plan *plan, const struct route_request *want, const struct secret *password,
                  int64_t deadline, struct record *open);

/*
 * Starts a keeper for the plan's endpoint and tunnel, and waits until it is ready. The profile's SSH password
 * (of a URL), then the store, then a person answer its questions; ERR_LOGIN where nobody can. Waiting for a
 * hop shows itself after a second (transcript 10). The keeper lives for this process, which may exec, unless
 * detached.
 */
int route_open(const struct profile *p, const struct plan *plan, const struct route_request *want,
               int64_t deadline, struct route *out, struct err *e);

#endif
