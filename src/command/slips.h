/* SPDX-License-Identifier: MIT */
/* Errors for common mistakes on the command line. All set ERR_USAGE and return -1. */
#ifndef COMMAND_SLIPS_H
#define COMMAND_SLIPS_H

#include "command.h"

/* Reports an option that the verb does not have; `word` may contain its value. */
int slip_option(const struct invocation *inv, const char *word, struct err *e);
/* slip_is_host() returns true if -h is followed by a host, as for mysql: in the same argument (`rest`) or in
 * the next one, which may be NULL. slip_host() reports that. */
bool slip_is_host(const struct verb *verb, const char *rest, const char *next);
int slip_host(const struct verb *verb, struct err *e);
/* Reports the first argument that the verb does not accept; the later ones follow it. */
int slip_extra_word(const struct invocation *inv, char *const *words, struct err *e);
/* Reports a first argument that is not a verb: a profile or URL without a verb, or a typing error. Masks its
 * password. */
int slip_verb(char *word, struct err *e);

/* Finds a format by its name; ERR_USAGE, with the most similar name as the hint. */
int find_format(const char *name, const struct format **out, struct err *e);

#endif
