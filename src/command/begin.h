/* SPDX-License-Identifier: MIT */
/* The first steps of every verb that is about one profile. */
#ifndef COMMAND_BEGIN_H
#define COMMAND_BEGIN_H

#include "command.h"

/* Opens the session that the command line names, and remembers its label for errors. */
int begin(struct invocation *inv, struct session *s, struct err *e);
/* The same for a word other than the verb's first profile or URL. */
int begin_word(struct invocation *inv, size_t word, struct session *s, struct err *e);
/* And makes the plan. `client`: that program instead of the profile's; NULL. */
int begin_plan(struct invocation *inv, struct session *s, enum purpose purpose, const char *client,
               struct err *e);
/* --log: an absolute path, owned by the command line; NULL: not given. The keeper cannot report a file that
 * it cannot write, so that is checked here: ERR_IO. */
int begin_log(struct invocation *inv, const char **path, struct err *e);
/* What the verb `test` does with a profile, for another verb: hops on stdout, the first failure as the error.
 */
int test_request(struct invocation *inv, const struct request *r, struct err *e);
/* --dry-run. */
void print_plan(const struct session *s, char *const *args);

#endif
