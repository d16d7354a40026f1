/* SPDX-License-Identifier: MIT */
/* What Vault says no with, in words that help. */
#ifndef VAULT_REFUSAL_H
#define VAULT_REFUSAL_H

#include "call.h"

/* Vault's list of errors, one a line, on one line: without "1 error occurred:" and its bullets. */
void vault_words(const char *errors, char *out, size_t size);

/* The error for an answer that is none; `location` is where a redirect leads. Returns -1. */
int vault_explain(const struct vault *v, const struct vault_refusal *why, const char *location,
                  struct err *e);
/* The hint for an error of http_call(). Returns -1. */
int vault_explain_silence(const struct vault *v, struct err *e);

#endif
