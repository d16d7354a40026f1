/* SPDX-License-Identifier: MIT */
/* The token used for requests to Vault: where it is stored, and what Vault reports about it. */
#ifndef VAULT_TOKEN_H
#define VAULT_TOKEN_H

#include <base/text.h>

#include "call.h"

void vault_token_clear(struct vault_token *t);

/* Returns the kind of the first character that a token or namespace must not contain in an HTTP header: "a
 * space", "a control character" or "a character that is not ASCII"; NULL if there is none. */
const char *vault_token_fault(const char *s);

/* Returns the identity under which this profile's token is stored (docs/vault.md); a token from the
 * environment is identified by its hash. The caller frees it. */
char *vault_token_identity(const struct vault *v);
/* Makes the name of the lock that is held during a login. */
void vault_token_lock_name(const struct vault *v, char out[33]);
/* Makes a hash of the token, by which a credential is assigned to it. */
void vault_token_digest(const struct vault_token *t, char out[33]);

/* Loads a token into v->token without asking Vault: from the environment or a file, the session store, or the
 * keychain. Returns 1; 0 if there is none; -1 if the file cannot be read or the keychain fails, for example
 * because it is locked. */
int vault_token_find(struct vault *v, int64_t deadline, struct err *e);
/* Loads a token only from the session store. Returns false if there is none. */
bool vault_token_find_session(struct vault *v, int64_t deadline);

/* Stores the token in the session store until it expires and, if `lasting`, in the keychain. If neither is
 * available, the token is used for this run only. After another login, the session's earlier token stays in
 * an entry of its own, so that logout can revoke it. */
void vault_token_keep(const struct vault *v, bool lasting, int64_t deadline);
/* Appends the identities of the entries of earlier tokens. */
void vault_token_list_former(const struct vault *v, int64_t deadline, struct words *out);
/* Removes the entry of an earlier token and loads it into v->token. Returns false if there is none. */
bool vault_token_take_former(struct vault *v, const char *identity, int64_t deadline);
/* Removes the token from all stores; *count is set to the number of entries. Fails if the keychain fails. */
int vault_token_forget(const struct vault *v, int64_t deadline, unsigned *count, struct err *e);

/* Asks Vault for the token's expiry and type. Returns 0; 1 if Vault does not know the token or denies the
 * lookup (*e is set); -1 on any other error. */
int vault_token_look_up(struct vault *v, int64_t deadline, struct err *e);
/* Renews a token that has less than half of its lifetime left. If Vault refuses, the token is left as it
 * is. */
void vault_token_renew(struct vault *v, int64_t deadline);

/* Sends a login request and fills *out from `auth` in the response. Fails with ERR_REFUSED if Vault requires
 * MFA. */
int vault_token_login(const struct vault *v, const char *method, const char *path, json_t *body,
                      const struct secret *token, int64_t deadline, struct vault_token *out,
                      struct vault_refusal *why, struct err *e);

#endif
