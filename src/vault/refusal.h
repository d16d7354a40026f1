/* SPDX-License-Identifier: MIT */
/* Error messages for Vault's error responses. */
#ifndef VAULT_REFUSAL_H
#define VAULT_REFUSAL_H

#include "call.h"

/* Joins Vault's error messages, one per line in `errors`, into a single line, without "1 error occurred:" and
 * bullets. */
void vault_words(const char *errors, char *out, size_t size);

/* Sets the error for an error response; `location` is the target of a redirect. Returns -1. */
int vault_explain(const struct vault *v, const struct vault_refusal *why, const char *location,
                  struct err *e);
/* Adds a hint to an error of http_call(). Returns -1. */
int vault_explain_silence(const struct vault *v, struct err *e);

#endif
