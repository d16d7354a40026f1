/* SPDX-License-Identifier: MIT */
/*
 * Session keys from STS or SSO, kept between runs in the kernel's keyring. An entry starts with a format
 * version; entries of another version are ignored.
 */
#ifndef AWS_SESSION_H
#define AWS_SESSION_H

#include <aws/source.h>

/* The identity of every entry starts with this prefix. */
#define AWS_SESSION_PREFIX "aws:"
/* Seconds. Keys with less time left are not used, because a token signed with them must still be valid when
 * it reaches the server. */
#define AWS_SESSION_MARGIN 300

/* Returns the identity under which a chain's result is stored, made from the names in the chain. The caller
 * frees it. */
char *aws_session_identity(const struct aws_context *c);

#endif
