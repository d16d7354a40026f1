/* SPDX-License-Identifier: MIT */
/* Users and passwords from Vault, cached only in the kernel's keyring, for one token and one path. */
#ifndef VAULT_LEASE_H
#define VAULT_LEASE_H

#include <base/text.h>

#include "call.h"

/* Seconds. A credential with less time left is renewed or not used, because logging in takes time too. */
#define VAULT_MARGIN 30

void vault_lease_clear(struct vault_lease *l);

/* Loads the cached lease for the token in v->token into v->lease. Returns false if there is none or it is
 * invalid. */
bool vault_lease_find(struct vault *v, int64_t deadline);
/* Stores v->lease. If the profile's leases are revoked at the end of a session (vault_revoke), the lease of
 * another user that the entry still holds is moved to an entry of its own. */
void vault_lease_keep(const struct vault *v, int64_t deadline);
/* Appends the identities of the entries made with the same token or login, for all paths. */
void vault_lease_list(const struct vault *v, int64_t deadline, struct words *out);
/* Loads an entry into v->lease, whichever token it was made with. Returns false if there is none. */
bool vault_lease_load(struct vault *v, const char *identity, int64_t deadline);
/* Removes an entry. Returns false if there is none. */
bool vault_lease_forget(const char *identity, int64_t deadline);
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
