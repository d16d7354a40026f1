/* SPDX-License-Identifier: MIT */
/* The credential that the keeper logs in with: the one that broker gave it, and those that it asks for later.
 */
#ifndef KEEPER_CREDENTIAL_H
#define KEEPER_CREDENTIAL_H

#include <stdbool.h>

#include <base/err.h>
#include <ipc/record.h>
#include <mysql/login_proxy.h>

/* A connection that needs one. Embedded in its owner's struct. */
struct credential_wait {
    struct credential_wait *next;
    bool anew;  /* as credential_want() was told */
    bool fresh; /* set for done(): it was asked for now, and was not kept from before */
    /* Called once, perhaps before credential_want() returns. c NULL: *e says why; else the receiver takes a
     * reference if it keeps it. */
    void (*done)(struct credential_wait *w, struct login_credential *c, const struct err *e);
};

/*
 * Gets one that lives for another 30 s: the one that is kept, or one of broker's (`credential get`); one
 * request runs at a time, for all. `anew`: not what broker has kept either. `user`: if what is kept is of
 * that user it will do until its end (NULL: nobody is preferred).
 */
void credential_want(struct credential_wait *w, bool anew, const char *user);
/* Calls no callback any more. */
void credential_unwant(struct credential_wait *w);

/* Takes a CREDENTIAL of broker's. -1: it is not whole. */
int credential_give(const struct record *given, struct err *e);

/* A server has accepted it: it is wiped a minute after the last one, or when it expires. */
void credential_used(void);
/*
 * A server has refused c. True: credential_want() may now give another: the kept one is dropped, unless it is
 * already another. False: it is of no use to ask; at most one is asked for a minute.
 */
bool credential_refused(const struct login_credential *c, bool fresh);
/* Milliseconds after which the same credential may be tried again, as the server may not know its new user
 * yet; `tries`: how often it was tried again already. -1: no more. */
int credential_patience(const struct login_credential *c, unsigned tries);

/* How many connections there are that were logged in; set by conn.c. With one, a user that broker's provider
 * made is asked for again before its end, which renews it. */
extern unsigned (*credential_sessions)(void);

/* Before the keeper ends: gives the user back (`credential erase`) if that is wanted and no other keeper of
 * this user's has it. Blocks for at most 5 s. */
void credential_end(void);

#endif
