/* SPDX-License-Identifier: MIT */
/*
 * An entry of the session store that is made of several texts: one byte of version, which its owner chooses,
 * then each text with a NUL behind it. An entry of another version, or that holds something else, is not
 * there.
 */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <base/secret.h>

/* Appends one; NULL is the empty text. False where it does not fit, or holds a NUL. */
bool fields_add(struct secret *entry, const char *s);
bool fields_add_secret(struct secret *entry, const struct secret *s);

/* All of them, exactly `count`, inside the entry. */
bool fields_split(const struct secret *entry, char version, const char *field[], size_t count);

#endif
