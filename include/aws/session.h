/*
 * Keys of a session that STS or SSO made, kept between runs in the kernel's keyring. The form of an entry is
 * ours and has a version; an entry of another one is not there.
 */
#ifndef AWS_SESSION_H
#define AWS_SESSION_H

#include <stdbool.h>

#include <aws/chain.h>
#include <aws/keys.h>
#include <base/secret.h>

/* What the identities of all entries start with. */
#define AWS_SESSION_PREFIX "aws:"
/* Keys are not used in their last seconds: a token signed with them must still be good at the server. */
#define AWS_SESSION_MARGIN 300

/* Whether what comes out of this chain is kept: it asks STS or SSO, and is nobody else's in this machine. */
bool aws_session_is_kept(const struct aws_chain *chain);
/* "role/db-reader": what a person sees in a list. Malloced. */
char *aws_session_label(const struct aws_chain *chain);

/* An entry from its keys; NULL where they do not fit into one. */
struct secret *aws_session_write(const char *label, const struct aws_keys *keys);
/* And back. `label` may be NULL, or is malloced. False: it is no entry of this version. */
bool aws_session_read(const struct secret *entry, char **label, struct aws_keys *out);

#endif
