/* SPDX-License-Identifier: MIT */
/* The credential with which the keeper logs in: the one that broker sent, and those that the keeper requests
 * later. */
#ifndef KEEPER_CREDENTIAL_H
#define KEEPER_CREDENTIAL_H

#include <stdbool.h>

#include <base/err.h>
#include <ipc/record.h>
#include <mysql/login_proxy.h>

/* A connection that needs a credential. Embedded in its owner's struct. */
struct credential_wait {
    struct credential_wait *next;
    bool anew;  /* the argument of credential_want() */
    bool fresh; /* set for done(): the credential was requested now, not stored before */
    /* Called once, perhaps before credential_want() returns. If `c` is NULL, *e is the reason; otherwise the
     * receiver must take a reference if it keeps `c`. */
    void (*done)(struct credential_wait *w, struct login_credential *c, const struct err *e);
};

/*
 * Gets a credential that is valid for at least 30 s: the stored one, or one from broker (`credential get`).
 * Only one request runs at a time, for all connections. `anew`: broker must not return the one that it has
 * cached. `user`: a stored credential of this user is used until it expires (NULL: no user is preferred).
 */
void credential_want(struct credential_wait *w, bool anew, const char *user);
/* Cancels a request; done() is not called any more. */
void credential_unwant(struct credential_wait *w);

/* Stores the credential from broker's CREDENTIAL record. Returns 0, or -1 if the record is incomplete. */
int credential_give(const struct record *given, struct err *e);

/* Must be called when a server has accepted the credential: it is wiped a minute after the last use, or when
 * it expires. */
void credential_used(void);
/*
 * Must be called when a server has refused `c`. Returns true if credential_want() may now get another one:
 * the stored credential is dropped, unless it is already another one. Returns false if another request is
 * useless; at most one credential per minute is requested.
 */
bool credential_refused(const struct login_credential *c, bool fresh);
/* Returns after how many ms the same credential may be tried again, because the server may not know its new
 * user yet; -1: not any more. `tries`: how often it was already tried again. */
int credential_patience(const struct login_credential *c, unsigned tries);

/* Returns the number of connections that the keeper has logged in; set by conn.c. If there are any, a user
 * that broker's provider created is requested again before it expires, which renews it. */
extern unsigned (*credential_sessions)(void);

/* Called before the keeper ends: deletes the user on the server (`credential erase`) if the profile requests
 * that and no other keeper of this OS user uses it. Blocks for at most 5 s. */
void credential_end(void);

#endif
