/*
 * Where secrets rest between runs (SPEC section 7). A store is one file with one row in model/kinds.def:
 * `keychain` (lasting; the Secret Service, asked by broker-keychain) and `keyring` (session; the kernel's,
 * gone at its timeout). Keys are identities (model/identity.h), never profile names.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>
#include <time.h>

#include <base/err.h>
#include <base/secret.h>

/* What a store answers beside success. */
enum store_result {
    STORE_OK,
    STORE_MISSING,     /* no such entry; no error set */
    STORE_UNAVAILABLE, /* no such store on this machine, or it refuses us: *e says why; the caller may go on
                          without */
    STORE_FAILED,      /* *e is set: locked, dismissed, broken protocol */
};

/* One entry of a list. `label`: "NAME" or "NAME TAB DETAIL", as it was put. */
typedef void store_visit(void *context, const char *identity, const char *label, time_t expires);

struct store {
    const char *name;
    /* The caller frees *out. */
    enum store_result (*get)(const char *identity, int64_t deadline, struct secret **out, struct err *e);
    /* `label` is what a person sees in a list; `expires` 0: never (a session store then keeps it for a day at
     * most). */
    enum store_result (*put)(const char *identity, const char *label, const struct secret *value,
                             time_t expires, int64_t deadline, struct err *e);
    enum store_result (*erase)(const char *identity, int64_t deadline, struct err *e);
    /* Every entry of ours, in no order, without its secret. NULL: this store has no list. */
    enum store_result (*list)(store_visit *visit, void *context, struct err *e);
};

extern const struct store store_keychain, store_keyring;

#endif
