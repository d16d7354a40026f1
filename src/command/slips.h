/* Answers to what people type instead of what they mean. All give ERR_USAGE and return -1. */
#ifndef COMMAND_SLIPS_H
#define COMMAND_SLIPS_H

#include "command.h"

/* An option that the verb has not; `word` may have its value in it. */
int slip_option(const struct invocation *inv, const char *word, struct err *e);
/* Whether -h is followed by a host, as mysql takes it: in the same word or in the next one, which may be
 * NULL.
 */
bool slip_is_host(const struct verb *verb, const char *rest, const char *next);
int slip_host(const struct verb *verb, struct err *e);
/* The first word that the verb has no place for, and those behind it. */
int slip_extra_word(const struct invocation *inv, char *const *words, struct err *e);
/* A first word that is no verb: a profile's name or a URL that lacks its verb, or a slip. Hides its password.
 */
int slip_verb(char *word, struct err *e);

#endif
