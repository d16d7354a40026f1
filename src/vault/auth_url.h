/* SPDX-License-Identifier: MIT */
/* The address of a login page, as Vault gives it. */
#ifndef VAULT_AUTH_URL_H
#define VAULT_AUTH_URL_H

#include <stdbool.h>

#include <base/err.h>
#include <base/secret.h>

/*
 * Sees that it may be handed to a browser: https (or http to this machine), all of it visible ASCII, with a
 * host. *state: the one `state` in it, decoded; *form: the answer comes by a POST. ERR_PROTOCOL.
 */
int vault_auth_url_read(const char *url, struct secret **state, bool *form, struct err *e);

#endif
