/* SPDX-License-Identifier: MIT */
/* The roles of a mount, for an error about one that is not there. */
#ifndef VAULT_ROLES_H
#define VAULT_ROLES_H

#include <vault/vault.h>

/* vault_path names only a mount: ERR_CONFIG, with the roles as details where Vault lists them. Returns -1. */
int vault_explain_mount(const struct vault *v, int64_t deadline, struct err *e);
/* Vault has said, in *e, that there is no such role: adds those that there are. Returns -1. */
int vault_explain_role(const struct vault *v, int64_t deadline, struct err *e);

#endif
