/* SPDX-License-Identifier: MIT */
/* Looks up properties of one profile for the chain and makes errors that name the file and line. */
#ifndef AWS_CHAIN_PROFILE_H
#define AWS_CHAIN_PROFILE_H

#include <stdbool.h>

#include <aws/files.h>
#include <base/err.h>

struct scope {
    const struct aws_files *files;
    const char *name;
};

const struct aws_property *scope_property(const struct scope *s, const char *key);
const struct aws_property *scope_property_of(const struct scope *s, enum aws_file file, const char *key);
/* Returns NULL if the property is not set or empty. */
const char *scope_value(const struct scope *s, const char *key);
/* Fails with ERR_CONFIG if the value contains a character that keys, tokens and ARNs never contain. `p` may
 * be NULL. */
int scope_word(const struct scope *s, const struct aws_property *p, struct err *e);
/* For a key that names a source of credentials. Returns 1 if it is set, 0 if not, -1 (an error) if it is
 * empty or has sub-properties. */
int scope_text(const struct scope *s, const char *key, const char **out, struct err *e);
/* Returns whether either half of a key pair is set. */
bool scope_has_keys(const struct scope *s);
/* Returns the profile's name as a string that belongs to `files`; NULL if there is no such profile. */
const char *scope_section_name(const struct aws_files *files, const char *name);

/* Sets ERR_CONFIG with the file and line of `at`. Returns -1. */
__attribute__((format(printf, 5, 6))) int scope_refuse(const struct scope *s, const struct aws_property *at,
                                                       const char *hint, struct err *e, const char *fmt, ...);
/* Sets ERR_CONFIG for an unknown profile, with a "did you mean" hint. Returns -1. */
int scope_no_profile(const struct scope *s, struct err *e);

#endif
