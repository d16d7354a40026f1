/* SPDX-License-Identifier: MIT */
/* Logs in to an SSO portal with the device flow (RFC 8628), as `aws sso login --use-device-code` does. */
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
 * Shows a URL and a code, opens a browser if there is one, and waits until the user has logged in. Stores the
 * token and the registration in `root`, in the CLI's format. Fails with ERR_LOGIN if the user does not log in
 * in time, and with ERR_REFUSED if the user or the service denies the login.
 */
int sso_login(const struct sso_client *client, json_t *root, struct err *e);

/*
 * Sends a request to /token with the fields of `body` and of the registration in `root`, and stores the new
 * token in `root`. Sets `code` to the service's error code ("authorization_pending"); "" if there is none.
 */
int sso_token_ask(const struct sso_client *client, json_t *body, json_t *root, char code[64], struct err *e);

#endif
