/* SPDX-License-Identifier: MIT */
/*
 * An entry of the session store that consists of several texts: a version byte, chosen by the module that
 * stores the entry, then the texts, each followed by a NUL. An entry with another version or another number
 * of texts counts as missing.
 */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <base/secret.h>

/* Append a text; NULL is the empty text. Return false if it does not fit or contains a NUL. */
bool fields_add(struct secret *entry, const char *s);
bool fields_add_secret(struct secret *entry, const struct secret *s);

/* Splits an entry into exactly `count` texts, which point into it. Returns false if the entry is invalid or
 * has another version. */
bool fields_split(const struct secret *entry, char version, const char *field[], size_t count);

#endif
