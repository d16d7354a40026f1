/*
 * Keys of a session that STS or SSO made, kept between runs in the kernel's keyring. The form of an entry is
 * ours and has a version; an entry of another one is not there.
 */
#ifndef AWS_SESSION_H
#define AWS_SESSION_H

#include <aws/source.h>

/* What the identities of all entries start with. */
#define AWS_SESSION_PREFIX "aws:"
/* Keys are not used in their last seconds: a token signed with them must still be good at the server. */
#define AWS_SESSION_MARGIN 300

/* The identity of what comes out of a chain, by the names in it (SPEC section 7). Malloced. */
char *aws_session_identity(const struct aws_context *c);

#endif
