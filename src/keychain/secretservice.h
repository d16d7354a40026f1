/* SPDX-License-Identifier: MIT */
/* The part of the freedesktop.org Secret Service that broker needs: one secret per identity. */
#ifndef KEYCHAIN_SECRETSERVICE_H
#define KEYCHAIN_SECRETSERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/secret.h>

/* A request and its deadline. */
struct entry {
    const char *identity; /* UTF-8 */
    const char *label;    /* UTF-8; for secretservice_put() */
    const char *account;  /* NULL: ours; otherwise an entry of Workbench's, with `identity` as its service */
    int64_t deadline;
    bool quiet; /* no prompt may be shown */
};

/*
 * All return -1 with ERR_UNREACHABLE if there is no keychain or it does not answer, ERR_LOGIN if the user
 * must unlock it, ERR_REFUSED with the service's text.
 */

/* 1: found, the caller frees *out; 0: no such entry. Of several entries the newest unlocked one. */
int secretservice_get(const struct entry *entry, struct secret **out, struct err *e);
/* Replaces an entry of the same identity in the default collection. */
int secretservice_put(const struct entry *entry, const struct secret *value, struct err *e);
/* Erases every entry of that identity; returns how many. */
int secretservice_erase(const struct entry *entry, struct err *e);
/* Visits every entry whose identity begins with entry->identity, the newest first. Nothing is unlocked. */
typedef void secretservice_visit(void *context, const char *identity, const char *label);
int secretservice_list(const struct entry *entry, secretservice_visit *visit, void *context, struct err *e);

#endif
