/* SPDX-License-Identifier: MIT */
/* The route to the server through a keeper: starts broker-keeper, answers its questions, and gets its
 * listeners' addresses. A direct route without a keeper does not use this. */
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
    bool lasts;    /* it is a forward, which serves more than one client */
    bool first;    /* connect to the server before the keeper is ready, for the first connection */
    bool detached; /* the keeper keeps running when this process ends */
    const char *name, *control; /* the forward's name and control socket; NULL: not a forward */
    const char *log;            /* absolute path of the log file; NULL: none */
    const char *digest;         /* digest of a forward's settings (KEEPER_TAG_DIGEST); else NULL */
    int64_t drain_ms;
};
struct route {
    int channel; /* a socket to the keeper, close-on-exec; -1: none */
    long pid;
    bool asked; /* the user had to answer a question */
    char *text; /* a description such as "ssh ec2-user@bastion.example.com:22, libssh2" */
    struct local_address listener[2];
    unsigned listeners;
    struct secret *password; /* a password of this run for clients at a port; NULL: none */
    struct secret *nothing;  /* the empty password, for clients that need none */
};
#define ROUTE_INIT                                                                                           \
    {                                                                                                        \
        .channel = -1                                                                                        \
    }
void route_release(struct route *w);
/* Tells the keeper to end even if this process continues; does nothing if there is no keeper. */
void route_stop(struct route *w);

/*
 * Used if the client's output is parsed: the keeper then reports its errors to clients as *mark, a random
 * text that servers cannot know (malloced; NULL if that failed). route_unmark() ends this and returns -1,
 * with the error in *e, if the keeper reported one.
 */
void route_mark(struct route *w, char **mark);
int route_unmark(struct route *w, struct err *e);

/* The user name for clients if only the credential says which user it is for: the keeper then accepts any
 * user name. */
#define ROUTE_ANY_USER "broker"

/* Gives the keeper the credential with which it logs in, replacing an earlier one. `is_kept`: it cannot be
 * fetched again. Returns -1 if the keeper has ended or refuses it. */
int route_credential(struct route *w, const struct credential *c, bool is_kept, struct err *e);

/* Tells the keeper when the credential of its clients expires, so that it warns in its log before that. */
void route_expires(struct route *w, time_t at);

/* Returns true if the keeper logs in for the clients of its listeners; either all listeners do that or none.
 */
bool route_logs_in(const struct route_request *want);
/* Returns true if one of the listeners is a port, to which processes of other users can connect. */
bool route_has_port(const struct route_request *want);
/* Builds the record OPEN. `password`: what clients must use at a port; NULL: none. `deadline`: of the whole
 * run. */
void route_record(const struct plan *plan, const struct route_request *want, const struct secret *password,
                  int64_t deadline, struct record *open);

/*
 * Starts a keeper for the plan's endpoint and tunnel, and waits until it is ready. Its questions are answered
 * with the URL's SSH password, then from the store, then by the user; ERR_LOGIN if the user cannot be asked.
 * Shows a wait line after a second. The keeper ends with this process, which may exec, unless it is detached.
 */
int route_open(const struct profile *p, const struct plan *plan, const struct route_request *want,
               int64_t deadline, struct route *out, struct err *e);

#endif
