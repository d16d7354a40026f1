/* SPDX-License-Identifier: MIT */
/*
 * Where secrets are kept between runs. A store is a file here and a row in model/kinds.def.
 * `keychain` is permanent: the Secret Service, through broker-keychain. `keyring` lasts for a session: the
 * kernel's keyring, where entries expire. The keys of entries are identities (model/identity.h), never
 * profile names.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>
#include <time.h>

#include <base/err.h>
#include <base/secret.h>

/* The maximum length of an identity that list() shows; longer ones are stored as a hash. */
#define STORE_IDENTITY_MAX 1024

/* The result of a store's functions. */
enum store_result {
    STORE_OK,
    STORE_MISSING,     /* no such entry; *e is not set */
    STORE_UNAVAILABLE, /* this machine has no such store, or access is refused; *e is set; the caller may
                          continue without the store */
    STORE_FAILED, /* *e is set: the store is locked, the user dismissed its prompt, or a protocol error */
};

/* Called for each entry of a list. `label` is "NAME" or "NAME TAB DETAIL", as it was stored. */
typedef void store_visit(void *context, const char *identity, const char *label, time_t expires);
/* A store_visit that appends each identity to the `struct words` that is its context. */
void store_add_identity(void *context, const char *identity, const char *label, time_t expires);

struct store {
    const char *name;
    /* Reads an entry. The caller frees *out. */
    enum store_result (*get)(const char *identity, int64_t deadline, struct secret **out, struct err *e);
    /* `label` is the entry's name in lists. `expires` 0: never (a session store then keeps the entry for at
     * most a day). */
    enum store_result (*put)(const char *identity, const char *label, const struct secret *value,
                             time_t expires, int64_t deadline, struct err *e);
    enum store_result (*erase)(const char *identity, int64_t deadline, struct err *e);
    /* Lists broker's entries whose identity starts with `prefix`, without the secrets; the newest first if
     * the store knows their age. A locked keychain is not unlocked. `expires` is 0 if entries do not
     * expire. */
    enum store_result (*list)(const char *prefix, store_visit *visit, void *context, int64_t deadline,
                              struct err *e);
};

/* Reads a password that MySQL Workbench has stored; `service` and `account` are the attributes of its entry.
 * The caller frees *out. */
enum store_result store_workbench(const char *service, const char *account, int64_t deadline,
                                  struct secret **out, struct err *e);

extern const struct store store_keychain, store_keyring;

#endif
