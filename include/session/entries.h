/* SPDX-License-Identifier: MIT */
/* The password store of git's protocol: entries in one of our stores, found by git's rules of matching. */
#ifndef SESSION_ENTRIES_H
#define SESSION_ENTRIES_H

#include <base/file.h>
#include <model/config.h>
#include <protocol/git.h>
#include <store/store.h>

struct entries {
    const struct store *store;
    struct config *config; /* for the audit line; owned */
    time_t life;           /* seconds that a new entry lives; 0: for ever */
};

/*
 * The newest entry that matches, into *found, which is empty: with what the other side can take of it, and
 * without a password that has expired. 1: found, 0: none, -1. A store that is not there has none.
 */
int entries_get(const struct entries *s, const struct git_credential *query, struct git_credential *found,
                struct err *e);
/* Keeps an entry instead of those that it matches; nothing where it may not be kept, or has no secret. */
int entries_put(const struct entries *s, const struct git_credential *entry, struct err *e);
/* Erases every entry that matches and has the secrets of the query. Nothing for a query that names nothing.
 */
int entries_erase(const struct entries *s, const struct git_credential *query, struct err *e);
/* Erases every entry whose name begins so. */
int entries_forget(const struct entries *s, const char *prefix, struct err *e);

/* The audit line of an entry that is handed out. `protocol`: whose it is. */
int entries_audit(const struct entries *s, const char *protocol, const char *endpoint, const char *user,
                  time_t expires, struct err *e);
void entries_release(struct entries *s);
#define AUTO_ENTRIES(name) __attribute__((cleanup(entries_release))) struct entries name = {0}

/* The names of a store that begin so, the newest first: *expires is as long as they are, and malloced; it may
 * be NULL. 0, or -1. */
int entries_names(const struct store *store, const char *prefix, struct words *names, time_t **expires,
                  struct err *e);
/* How long a store may take for one request, as a deadline. */
int64_t entries_deadline(void);
/* One writer at a time among the entries of that prefix. */
int entries_lock(const char *prefix, struct file_lock *lock, struct err *e);

#endif
