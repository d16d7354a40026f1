/* SPDX-License-Identifier: MIT */
/* The password store of git's credential protocol: entries in one of our stores, matched by git's rules. */
#ifndef SESSION_ENTRIES_H
#define SESSION_ENTRIES_H

#include <base/file.h>
#include <model/config.h>
#include <protocol/git.h>
#include <store/store.h>

struct entries {
    const struct store *store;
    struct config *config; /* owned; used for the audit log */
    time_t life;           /* seconds until a new entry expires; 0: never */
};

/*
 * Gets the newest matching entry into *found, which must be empty. It contains only what the caller supports,
 * and no expired password. Returns 1 if found, 0 if there is none, -1 on error. A missing store counts as
 * empty.
 */
int entries_get(const struct entries *s, const struct git_credential *query, struct git_credential *found,
                struct err *e);
/* Stores an entry and erases the others that match it. Does nothing if the entry must not be stored or has no
 * secret. */
int entries_put(const struct entries *s, const struct git_credential *entry, struct err *e);
/* Erases every entry that matches and has the secrets of the query. Does nothing if the query is empty. */
int entries_erase(const struct entries *s, const struct git_credential *query, struct err *e);
/* Erases every entry whose name begins with `prefix`. */
int entries_forget(const struct entries *s, const char *prefix, struct err *e);

/* Writes the audit line of an entry that is handed out. `protocol` is the credential helper protocol. */
int entries_audit(const struct entries *s, const char *protocol, const char *endpoint, const char *user,
                  time_t expires, struct err *e);
void entries_release(struct entries *s);
#define AUTO_ENTRIES(name) __attribute__((cleanup(entries_release))) struct entries name = {0}

/* Gets the names that begin with `prefix`, newest first, and in *expires (may be NULL) an array with the
 * expiry time of each, malloced. Returns 0 or -1. */
int entries_names(const struct store *store, const char *prefix, struct words *names, time_t **expires,
                  struct err *e);
/* Returns the deadline for one request to a store. */
int64_t entries_deadline(void);
/* Locks the entries with this prefix, so that only one process writes them at a time. */
int entries_lock(const char *prefix, struct file_lock *lock, struct err *e);

#endif
