/* SPDX-License-Identifier: MIT */
/* Users and passwords from Vault, cached only in the kernel's keyring, for one token and one path. */
#ifndef VAULT_LEASE_H
#define VAULT_LEASE_H

#include "call.h"

/* Seconds. A credential with less time left is renewed or not used, because logging in takes time too. */
#define VAULT_MARGIN 30

void vault_lease_clear(struct vault_lease *l);

/* Loads the cached lease for the token in v->token into v->lease. Returns false if there is none or it is
 * invalid. */
bool vault_lease_find(struct vault *v, int64_t deadline);
void vault_lease_keep(const struct vault *v, int64_t deadline);
/* Removes the entry for this path. */
void vault_lease_forget(const struct vault *v, int64_t deadline);
/* Removes the entries of this token for all paths. Returns their number. */
unsigned vault_lease_forget_all(const struct vault *v, int64_t deadline);
/* Returns whether the lease has more than VAULT_MARGIN seconds left. */
bool vault_lease_is_good(const struct vault_lease *l);

/* Reads a new credential with v->token. */
int vault_lease_read(struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e);
/* Renews the cached lease. Returns false if Vault does not extend it. */
bool vault_lease_renew(struct vault *v, int64_t deadline);
/* Revokes the lease, which makes Vault delete the user. *why is set if Vault refuses. */
int vault_lease_revoke(const struct vault *v, int64_t deadline, struct vault_refusal *why, struct err *e);

/* Makes the name of the lock that is held while reading a credential. */
void vault_lease_lock_name(const struct vault *v, char out[33]);

#endif
