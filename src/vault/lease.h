/* SPDX-License-Identifier: MIT */
/* A user and password that Vault made: kept in the kernel's keyring alone, for one token and one path. */
#ifndef VAULT_LEASE_H
#define VAULT_LEASE_H

#include "call.h"

/* A credential is not used, or is renewed first, in its last seconds: the log-in itself takes time. */
#define VAULT_MARGIN 30

void vault_lease_clear(struct vault_lease *l);

/* The kept one of the token in v->token, into v->lease; false: none, or none that will do. */
bool vault_lease_find(struct vault *v, int64_t deadline);
void vault_lease_keep(const struct vault *v, int64_t deadline);
/* Those of this token, of every path; how many there were. */
/* Removes the kept lease of this path. */
void vault_lease_forget(const struct vault *v, int64_t deadline);
unsigned vault_lease_forget_all(const struct vault *v, int64_t deadline);
/* Whether it has more than its last seconds left. */
bool vault_lease_is_good(const struct vault_lease *l);

/* Reads a new one with v->token. */
int vault_lease_read(struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e);
/* More time for the kept one; false: Vault gives none. */
bool vault_lease_renew(struct vault *v, int64_t deadline);
/* Ends it: the user is dropped. *why: Vault's words where it refuses. */
int vault_lease_revoke(const struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e);

/* The name of the lock that one is read under. */
void vault_lease_lock_name(const struct vault *v, char out[33]);

#endif
