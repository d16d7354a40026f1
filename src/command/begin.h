/* SPDX-License-Identifier: MIT */
/* The first steps of every verb that works on one profile. */
#ifndef COMMAND_BEGIN_H
#define COMMAND_BEGIN_H

#include "command.h"

/* Opens the session for the profile or URL on the command line, and sets inv->label for errors. */
int begin(struct invocation *inv, struct session *s, struct err *e);
/* Like begin(), for word number `word`, if the verb's profile or URL is not the usual one. */
int begin_word(struct invocation *inv, size_t word, struct session *s, struct err *e);
/* Like begin(), and makes the plan. `client` is a program to use instead of the profile's; NULL: the
 * profile's. */
int begin_plan(struct invocation *inv, struct session *s, enum purpose purpose, const char *client,
               struct err *e);
/* Gets the value of --log as an absolute path, owned by inv; NULL if it was not given. Checks that the file
 * can be written, because the keeper could not report an error: ERR_IO. */
int begin_log(struct invocation *inv, const char **path, struct err *e);
/* Does what `broker test` does with a profile, for another verb: prints the hops on stdout and returns the
 * first failure as the error. */
int test_request(struct invocation *inv, const struct request *r, struct err *e);
/* Prints the plan for --dry-run. */
void print_plan(const struct session *s, char *const *args);

#endif
