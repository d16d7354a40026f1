/* SPDX-License-Identifier: MIT */
/* The credential helper protocols that broker speaks: one file for each PROTOCOL row of model/kinds.def. */
#ifndef COMMAND_CREDENTIAL_H
#define COMMAND_CREDENTIAL_H

#include <session/entries.h>

#include "command.h"

/* One call of `broker credential`. */
struct helper_call {
    struct invocation *inv;
    size_t first;   /* the index in inv->word of the operation, such as "get"; the protocol's name may precede
                       it */
    bool forwarded; /* called by the name used to forward requests to this host; refuses database passwords */
};
const char *helper_verb(const struct helper_call *call);
/* Opens the password store that the command line or the config selects. */
int helper_entries(const struct helper_call *call, struct entries *out, struct err *e);
/* Reads stdin to its end, or up to an empty line if `lines`. ERR_IO, or ERR_DATA if it exceeds the buffer's
 * bound. */
int helper_read(struct buf *out, bool lines, struct err *e);
/* Writes the whole answer to stdout at once. */
int helper_answer(const struct buf *out, struct err *e);

int credential_git(const struct helper_call *call, struct err *e);
int credential_docker(const struct helper_call *call, struct err *e);
int credential_aws(const struct helper_call *call, struct err *e);

/* Returns true if a request in git's protocol is about a database. A keeper sends its request in the same
 * form, with `keys` set. */
bool database_is_asked(const struct git_credential *asked);
/* Gets the database's user and password from the profile's provider into *answer, which must be empty.
 * Returns 1 if done, 0 if there is no such profile or it has no secret. */
int database_get(const struct git_credential *asked, struct git_credential *answer, struct err *e);
int database_store(const struct git_credential *asked, struct err *e);
int database_erase(const struct git_credential *asked, struct err *e);

#endif
