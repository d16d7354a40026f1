/* SPDX-License-Identifier: MIT */
/* The roles of a mount, for an error about a missing or unknown role. */
#ifndef VAULT_ROLES_H
#define VAULT_ROLES_H

#include <vault/vault.h>

/* Sets ERR_CONFIG for a vault_path without a role, with the roles as detail lines if Vault lists them.
 * Returns -1. */
int vault_explain_mount(const struct vault *v, int64_t deadline, struct err *e);
/* Completes Vault's error for an unknown role, in *e, with the roles that exist. Returns -1. */
int vault_explain_role(const struct vault *v, int64_t deadline, struct err *e);

#endif
