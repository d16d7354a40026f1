/* SPDX-License-Identifier: MIT */
/* The part of the freedesktop.org Secret Service API that broker needs: one secret per identity. */
#ifndef KEYCHAIN_SECRETSERVICE_H
#define KEYCHAIN_SECRETSERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* The entry that a request is about, and the request's deadline. */
struct entry {
    const char *identity; /* the entry's identity in UTF-8; for list, a prefix */
    const char *label;    /* the entry's name in UTF-8; only for secretservice_put() */
    const char *account; /* NULL: an entry of broker; otherwise one of MySQL Workbench, with `identity` as its
                            service */
    int64_t deadline;
    bool quiet; /* the service must not show a prompt */
};

/*
 * All functions return -1 with ERR_UNREACHABLE if there is no keychain or it does not answer, with ERR_LOGIN
 * if the user must unlock it, and with ERR_REFUSED and the service's text for other errors.
 */

/* Returns 1 if the entry exists (the caller frees *out), 0 if not. If there are several, takes the newest
 * unlocked one. */
int secretservice_get(const struct entry *entry, struct secret **out, struct err *e);
/* Stores an entry in the default collection, replacing one of the same identity. */
int secretservice_put(const struct entry *entry, const struct secret *value, struct err *e);
/* Erases all entries of that identity. Returns their number. */
int secretservice_erase(const struct entry *entry, struct err *e);
/* Visits all entries whose identity starts with entry->identity, the newest first. Unlocks nothing. */
typedef void secretservice_visit(void *context, const char *identity, const char *label);
int secretservice_list(const struct entry *entry, secretservice_visit *visit, void *context, struct err *e);

#endif
