/* The token of an SSO session, in the file that the AWS CLI keeps it in: ~/.aws/sso/cache/SHA1.json. */
#ifndef AWS_SSO_TOKEN_H
#define AWS_SSO_TOKEN_H

#include <stdint.h>
#include <time.h>

#include <aws/source.h>
#include <base/err.h>
#include <base/secret.h>

/*
 * A token that is good now: the file's, refreshed where it ends within 15 minutes and can be, else that of a
 * person who logs in (context.may_log_in). `refused`: the one that the portal has just said no to, or NULL.
 * The caller frees *out. ERR_LOGIN where a person is needed.
 */
int sso_token_get(const struct aws_context *c, const struct aws_step *step, const struct secret *refused,
                  int64_t deadline, struct secret **out, struct err *e);

/*
 * Appends the token that the file holds, dead or alive. `place`: the file's name, which takes a helper to
 * find; NULL on entry: found and set, malloced. *changed: when it last became what it is; may be NULL. 1:
 * there is no token.
 */
int sso_token_proof(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                    struct buf *out, struct timespec *changed);

#endif
