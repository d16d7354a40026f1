/* SPDX-License-Identifier: MIT */
/*
 * Where secrets rest between runs (SPEC section 7). A store is one file with one row in model/kinds.def:
 * `keychain` (lasting; the Secret Service, through broker-keychain) and `keyring` (for a session; the
 * kernel's, where entries end at their timeout). Keys are identities (model/identity.h), never profile names.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>
#include <time.h>

#include <base/err.h>
#include <base/secret.h>

/* The longest identity that list() shows; a longer one is kept as a hash. */
#define STORE_IDENTITY_MAX 1024

/* Results of a store other than success. */
enum store_result {
    STORE_OK,
    STORE_MISSING,     /* no such entry; no error set */
    STORE_UNAVAILABLE, /* no such store on this machine, or it refuses us: *e says why; the caller may
                          continue without it */
    STORE_FAILED,      /* *e is set: locked, dismissed, broken protocol */
};

/* One entry of a list. `label`: "NAME" or "NAME TAB DETAIL", as it was stored. */
typedef void store_visit(void *context, const char *identity, const char *label, time_t expires);

struct store {
    const char *name;
    /* The caller frees *out. */
    enum store_result (*get)(const char *identity, int64_t deadline, struct secret **out, struct err *e);
    /* `label` is the entry's name in a list; `expires` 0: never (a session store then keeps it for a day at
     * most). */
    enum store_result (*put)(const char *identity, const char *label, const struct secret *value,
                             time_t expires, int64_t deadline, struct err *e);
    enum store_result (*erase)(const char *identity, int64_t deadline, struct err *e);
    /* Lists our entries whose identity begins with `prefix`, without their secrets; the newest first if the
     * store knows. A keychain is not unlocked for it. `expires` is 0 if the store does not expire entries. */
    enum store_result (*list)(const char *prefix, store_visit *visit, void *context, int64_t deadline,
                              struct err *e);
};

/* Reads a password that MySQL Workbench has stored, by its own names for it. The caller frees *out. */
enum store_result store_workbench(const char *service, const char *account, int64_t deadline,
                                  struct secret **out, struct err *e);

extern const struct store store_keychain, store_keyring;

#endif
