/* SPDX-License-Identifier: MIT */
/*
 * The way to the server through the keeper: starting broker-keeper, answering its questions, learning where
 * its local ends are. A direct way without a keeper never comes here.
 */
#ifndef SESSION_WAY_H
#define SESSION_WAY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <ipc/keeper.h>
#include <session/plan.h>

struct way_request {
    struct local_end end[2];
    unsigned ends;
    bool lasts;                 /* it is a forward */
    bool first;                 /* dial before it is ready, for the first connection */
    bool detached;              /* the keeper outlives us */
    const char *name, *control; /* of a forward; NULL */
    const char *log;            /* absolute; NULL */
    const char *digest;         /* the same: KEEPER_TAG_DIGEST */
    int64_t drain_ms;
};
struct way {
    int line; /* to the keeper, close-on-exec; -1 */
    long pid;
    bool asked; /* a person had to answer */
    char *text; /* "ssh ec2-user@bastion.example.com:22, libssh2" */
    struct local_end end[2];
    unsigned ends;
    struct secret *password; /* of this run, which clients at a port must have; NULL: there is none */
    struct secret *nothing;  /* the empty one, for clients that need none */
};
#define WAY_INIT                                                                                             \
    {                                                                                                        \
        .line = -1                                                                                           \
    }
void way_release(struct way *w);
/* Tells the keeper to end, though this process goes on; nothing where there is none. */
void way_stop(struct way *w);

/*
 * For a client whose output is read: from now on its keeper's errors are told to clients as *mark (malloced;
 * NULL where that failed), which no server knows. way_unmark() ends that; -1: such an error was told, and is
 * *e.
 */
void way_mark(struct way *w, char **mark);
int way_unmark(struct way *w, struct err *e);

/* The user that clients are told where only the credential says whose it is: the keeper takes any. */
#define WAY_ANY_USER "broker"

/*
 * Gives the keeper the credential that it logs in with. `is_kept`: it cannot be asked for again. A later one
 * replaces it. -1: the keeper has gone, or what it says.
 */
int way_credential(struct way *w, const struct credential *c, bool is_kept, struct err *e);

/* Tells the keeper when the credential that its clients use expires: it warns in its log before. */
void way_expires(struct way *w, time_t at);

/* Whether the keeper is to log in at its ends, which are then all of that kind. */
bool way_logs_in(const struct way_request *want);
/* Whether one of the ends is a port, to which processes of other users can connect, too. */
bool way_has_port(const struct way_request *want);
/* The record OPEN. `password`: what clients at a port must have; NULL: none. `deadline`: of the whole run. */
void way_record(const struct plan *plan, const struct way_request *want, const struct secret *password,
                int64_t deadline, struct record *open);

/*
 * Starts a keeper for the plan's endpoint and tunnel, and waits until it is ready. The profile's SSH password
 * (of a URL), then the store, then a person answer its questions; ERR_LOGIN where nobody can. Waiting for a
 * hop shows itself after a second (transcript 10). The keeper lives for this process, which may exec, unless
 * detached.
 */
int way_open(const struct profile *p, const struct plan *plan, const struct way_request *want,
             int64_t deadline, struct way *out, struct err *e);

#endif
