/* SPDX-License-Identifier: MIT */
/* The texts whose SHA-1 in hex names the AWS CLI's SSO files, as Python's json.dumps(sort_keys=True) writes
 * them. Pure. */
#ifndef AWS_SSO_NAMES_H
#define AWS_SSO_NAMES_H

#include <stdbool.h>

#include <aws/chain.h>
#include <base/buf.h>
#include <model/json.h>

/* Session name, or the start URL in the legacy form: names the token in ~/.aws/sso/cache, also in messages.
 */
const char *sso_name(const struct aws_step *step);
/* Names the role's keys in ~/.aws/cli/cache. False: there can be no such file. */
bool sso_role_name(const struct aws_step *step, struct buf *out);
/* Names the device flow's registration in ~/.aws/sso/cache. */
bool sso_registration_name(const struct aws_step *step, struct buf *out);

/* sso_registration_scopes, a list with commas, as a JSON array; NULL if there are none. The caller frees. */
json_t *sso_scopes(const char *scopes);

#endif
