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
 * Gets a valid token: the one in the file, refreshed if it expires within 15 minutes and a refresh is
 * possible, or a new one from a login (only if c->may_log_in). `refused` is the token that the portal has
 * just refused, or NULL. The caller frees *out. Fails with ERR_LOGIN if the user must log in.
 */
int sso_token_get(const struct aws_context *c, const struct aws_step *step, const struct secret *refused,
                  int64_t deadline, struct secret **out, struct err *e);

/*
 * Appends the token in the file, even if it is expired. `place` is the path of the file, whose name only a
 * helper program can compute; if it is NULL on entry, it is computed and set (malloced). *changed is set to
 * the time of the file's last change; it may be NULL. Returns 1 if there is no token.
 */
int sso_token_proof(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                    struct buf *out, struct timespec *changed);

#endif
