/* SPDX-License-Identifier: MIT */
/*
 * Session keys from STS or SSO, kept between runs in the kernel's keyring. An entry has a format version; one
 * of another version is ignored.
 */
#ifndef AWS_SESSION_H
#define AWS_SESSION_H

#include <aws/source.h>

/* The prefix of the identities of all entries. */
#define AWS_SESSION_PREFIX "aws:"
/* Keys are not used in their last seconds, because a token signed with them must still be valid at the
 * server. */
#define AWS_SESSION_MARGIN 300

/* The identity of a chain's result, from the names in the chain (SPEC section 7). Malloced. */
char *aws_session_identity(const struct aws_context *c);

#endif
