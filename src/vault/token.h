/* SPDX-License-Identifier: MIT */
/* The token that every request of ours is made with: where it is kept, and what Vault says of it. */
#ifndef VAULT_TOKEN_H
#define VAULT_TOKEN_H

#include "call.h"

void vault_token_clear(struct vault_token *t);

/* What a token, or a namespace, cannot have in a header: "a space", "a control character", "a character that
 * is not ASCII"; NULL where there is nothing of that. */
const char *vault_token_fault(const char *s);

/* The identity of the token that this profile is for (docs/vault.md); one of the environment is named by a
 * digest of itself. Malloced. */
char *vault_token_identity(const struct vault *v);
/* The name of the lock that a login for it is made under. */
void vault_token_lock_name(const struct vault *v, char out[33]);
/* What a credential is known by to be that token's. */
void vault_token_digest(const struct vault_token *t, char out[33]);

/* A kept one into v->token, without asking Vault: the environment's, the session's, the keychain's. */
bool vault_token_find(struct vault *v, int64_t deadline);
/* The session's alone. */
bool vault_token_find_session(struct vault *v, int64_t deadline);

/* Keeps it: the session until its end, the keychain if `lasting`. Where neither is to be had it is this
 * run's.
 */
void vault_token_keep(const struct vault *v, bool lasting, int64_t deadline);
/* Forgets it wherever it is kept; *count: how many entries that were. ERR_* where the keychain fails. */
int vault_token_forget(const struct vault *v, int64_t deadline, unsigned *count, struct err *e);

/* Asks Vault how long it lives. 0; 1: Vault does not know it, or does not let it ask (*e says so); -1. */
int vault_token_look_up(struct vault *v, int64_t deadline, struct err *e);
/* More time for one that has less than half of its own left. It may be refused: then it is as it was. */
void vault_token_renew(struct vault *v, int64_t deadline);

/* Takes the `auth` of an answer to a login, whose body was asked for with vault_token_login(). */
int vault_token_login(const struct vault *v, const char *method, const char *path, json_t *body,
                      const struct secret *token, int64_t deadline, struct vault_token *out,
                      struct vault_refusal *why, struct err *e);

#endif
