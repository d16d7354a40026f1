/* SPDX-License-Identifier: MIT */
/* Logging in to an SSO portal by the device flow (RFC 8628), as `aws sso login --use-device-code` does. */
#ifndef AWS_SSO_LOGIN_H
#define AWS_SSO_LOGIN_H

#include <stdint.h>

#include <aws/source.h>
#include <base/err.h>
#include <model/json.h>

struct sso_client {
    const struct aws_context *context;
    const struct aws_step *step;
    int64_t deadline;
};

/*
 * Shows a URL and a code, opens a browser if there is one, and waits for the user. Puts the token and the
 * registration into `root`, as the CLI writes them. ERR_LOGIN if the user did not log in in time, ERR_REFUSED
 * if the login was refused.
 */
int sso_login(const struct sso_client *client, json_t *root, struct err *e);

/*
 * Asks /token with the fields of `body`, and those of the registration in `root`; puts the new token into
 * `root`. *code: the service's error code ("authorization_pending"), empty if there is none.
 */
int sso_token_ask(const struct sso_client *client, json_t *body, json_t *root, char code[64], struct err *e);

#endif
