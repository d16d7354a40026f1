/* SPDX-License-Identifier: MIT */
/* The credential helpers that broker is: one file for each row PROTOCOL of model/kinds.def. */
#ifndef COMMAND_CREDENTIAL_H
#define COMMAND_CREDENTIAL_H

#include <session/entries.h>

#include "command.h"

/* What a call of the verb is about: words behind the protocol's name, where one was given. */
struct helper_call {
    struct invocation *inv;
    size_t first;   /* which of the words is the helper's own verb */
    bool forwarded; /* under a name by which editors and containers pass on the host's helper: no databases */
};
const char *helper_verb(const struct helper_call *call);
/* The password store that the command line or the config says. */
int helper_entries(const struct helper_call *call, struct entries *out, struct err *e);
/* All of stdin, up to a blank line if `lines`. ERR_DATA past `most` bytes; ERR_IO. */
int helper_read(struct buf *out, bool lines, struct err *e);
/* Writes the whole answer at once. */
int helper_answer(const struct buf *out, struct err *e);

int credential_git(const struct helper_call *call, struct err *e);
int credential_docker(const struct helper_call *call, struct err *e);
int credential_aws(const struct helper_call *call, struct err *e);

/* Whether a request of git's protocol is about a database. Its `keys` are those of a keeper, or none. */
bool database_is_asked(const struct git_credential *asked);
/* Answers it by its provider, into *answer, which is empty. 1: done, 0: no such profile, or it has no secret.
 */
int database_get(const struct git_credential *asked, struct git_credential *answer, struct err *e);
int database_store(const struct git_credential *asked, struct err *e);
int database_erase(const struct git_credential *asked, struct err *e);

#endif
