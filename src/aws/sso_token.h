/* SPDX-License-Identifier: MIT */
/* The token of an SSO session, in the AWS CLI's own file: ~/.aws/sso/cache/SHA1.json. */
#ifndef AWS_SSO_TOKEN_H
#define AWS_SSO_TOKEN_H

#include <stdint.h>
#include <time.h>

#include <aws/source.h>
#include <base/err.h>
#include <base/secret.h>

/*
 * A valid token: the file's, refreshed if it expires within 15 minutes and can be, else a new login's
 * (context.may_log_in). `refused`: the token that the portal has just refused, or NULL. The caller frees
 * *out. ERR_LOGIN if the user must log in.
 */
int sso_token_get(const struct aws_context *c, const struct aws_step *step, const struct secret *refused,
                  int64_t deadline, struct secret **out, struct err *e);

/*
 * Appends the token in the file, expired or not. `place`: the file's path, which only a helper can compute;
 * NULL on entry: computed and set, malloced. *changed: its last change; may be NULL. 1: there is no token.
 */
int sso_token_proof(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                    struct buf *out, struct timespec *changed);

#endif
