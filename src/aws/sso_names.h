/* What the AWS CLI names its files of SSO by: texts whose SHA-1 in hex is the file's name, as Python's
 * json.dumps(sort_keys=True) writes them. Pure. */
#ifndef AWS_SSO_NAMES_H
#define AWS_SSO_NAMES_H

#include <stdbool.h>

#include <aws/chain.h>
#include <base/buf.h>
#include <model/json.h>

/* Session name, or the start URL in the legacy form: the token in ~/.aws/sso/cache; and what messages call
 * it. */
const char *sso_name(const struct aws_step *step);
/* The keys of the role in ~/.aws/cli/cache. False: it can have no such file. */
bool sso_role_name(const struct aws_step *step, struct buf *out);
/* The registration of the device flow in ~/.aws/sso/cache. */
bool sso_registration_name(const struct aws_step *step, struct buf *out);

/* sso_registration_scopes, which has commas, as a JSON array; NULL where there are none. The caller frees. */
json_t *sso_scopes(const char *scopes);

#endif
