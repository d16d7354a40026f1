/* The freedesktop.org Secret Service, as much as broker needs of it: one secret per identity. */
#ifndef KEYCHAIN_SECRETSERVICE_H
#define KEYCHAIN_SECRETSERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* Who asks for what, and how long it may take. */
struct entry {
    const char *identity; /* UTF-8 */
    const char *label;    /* UTF-8; for secretservice_put() */
    int64_t deadline;
    bool quiet; /* no question may be shown */
};

/*
 * All: -1 with ERR_UNREACHABLE where no keychain is there or none answers; ERR_LOGIN where a person must
 * unlock it; ERR_REFUSED with the service's words.
 */

/* 1: found, the caller frees *out; 0: no such entry. Of several entries the newest that is not locked. */
int secretservice_get(const struct entry *entry, struct secret **out, struct err *e);
/* Replaces an entry of the same identity in the default collection. */
int secretservice_put(const struct entry *entry, const struct secret *value, struct err *e);
/* Erases every entry of that identity; gives how many. */
int secretservice_erase(const struct entry *entry, struct err *e);

#endif
