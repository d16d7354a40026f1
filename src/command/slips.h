/* SPDX-License-Identifier: MIT */
/* Errors for common mistakes on the command line. All set ERR_USAGE and return -1. */
#ifndef COMMAND_SLIPS_H
#define COMMAND_SLIPS_H

#include "command.h"

/* An option that the verb does not have; `word` may contain its value. */
int slip_option(const struct invocation *inv, const char *word, struct err *e);
/* Whether -h is followed by a host, as for mysql: in the same word or in the next one, which may be NULL. */
bool slip_is_host(const struct verb *verb, const char *rest, const char *next);
int slip_host(const struct verb *verb, struct err *e);
/* The first word that the verb does not accept, and those after it. */
int slip_extra_word(const struct invocation *inv, char *const *words, struct err *e);
/* A first word that is not a verb: a profile or URL without a verb, or a typing error. Hides its password. */
int slip_verb(char *word, struct err *e);

/* A format by name; ERR_USAGE, with the nearest name as the hint. */
int find_format(const char *name, const struct format **out, struct err *e);

#endif
