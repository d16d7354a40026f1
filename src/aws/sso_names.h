/* SPDX-License-Identifier: MIT */
/* Makes the texts whose SHA-1 in hex is the file name of the AWS CLI's SSO files, exactly as Python's
 * json.dumps(sort_keys=True) writes them. */
#ifndef AWS_SSO_NAMES_H
#define AWS_SSO_NAMES_H

#include <stdbool.h>

#include <aws/chain.h>
#include <base/buf.h>
#include <model/json.h>

/* Returns the session's name, or the start URL in the legacy form. It determines the name of the token's file
 * in ~/.aws/sso/cache, and appears in messages. */
const char *sso_name(const struct aws_step *step);
/* Makes the text for the role's keys in ~/.aws/cli/cache. Returns false if no such file can exist. */
bool sso_role_name(const struct aws_step *step, struct buf *out);
/* Makes the text for the device flow's registration in ~/.aws/sso/cache. */
bool sso_registration_name(const struct aws_step *step, struct buf *out);

/* Converts sso_registration_scopes, a list separated by commas, to a JSON array; NULL if there are none. The
 * caller frees it. */
json_t *sso_scopes(const char *scopes);

#endif
