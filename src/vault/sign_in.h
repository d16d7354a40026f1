/* SPDX-License-Identifier: MIT */
/* What sign_in.c and read.c share. */
#ifndef VAULT_SIGN_IN_H
#define VAULT_SIGN_IN_H

#include <vault/vault.h>

/* A new token by the profile's method into v->token. `refused`: the digest of one that another broker may
 * have kept meanwhile, and which will not do; "": none. */
int vault_log_in(struct vault *v, const char *refused, int64_t deadline, struct err *e);

/* Vault has refused, with *e, a token that is not ours: no login can mend that. Returns -1. */
int vault_given_refused(const struct vault *v, struct err *e);

#endif
