/* SPDX-License-Identifier: MIT */
/* The URL of a login page, as Vault returns it. */
#ifndef VAULT_AUTH_URL_H
#define VAULT_AUTH_URL_H

#include <stdbool.h>

#include <base/err.h>
#include <base/secret.h>

/*
 * Checks that a URL can be passed to a browser: https (or http to this machine), only printable ASCII
 * characters, and a valid host. *state is set to the decoded parameter `state`, *form to whether the callback
 * will be a POST of a form. Fails with ERR_PROTOCOL.
 */
int vault_auth_url_read(const char *url, struct secret **state, bool *form, struct err *e);

#endif
