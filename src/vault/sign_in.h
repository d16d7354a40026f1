/* SPDX-License-Identifier: MIT */
/* Functions that sign_in.c and read.c share. */
#ifndef VAULT_SIGN_IN_H
#define VAULT_SIGN_IN_H

#include <vault/vault.h>

/* Logs in by the profile's method and stores the token in v->token. `refused` is the digest of a token that
 * Vault has refused, so that a stored copy of it is not used; "": none. */
int vault_log_in(struct vault *v, const char *refused, int64_t deadline, struct err *e);

/* Completes the error in *e for a token from the environment or a file that Vault refused; broker cannot
 * replace such a token. Returns -1. */
int vault_given_refused(const struct vault *v, struct err *e);

#endif
