/* SPDX-License-Identifier: MIT */
/* Properties of one profile, as the chain looks them up, and errors that name their place. */
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
/* NULL if unset or empty. */
const char *scope_value(const struct scope *s, const char *key);
/* ERR_CONFIG if the value (`p` may be NULL) has a character that no key, token or ARN contains. */
int scope_word(const struct scope *s, const struct aws_property *p, struct err *e);
/* For a key that names a source of credentials: 1 set, 0 not set, -1 empty, which is an error. */
int scope_text(const struct scope *s, const char *key, const char **out, struct err *e);
/* Whether either half of a key pair is set. */
bool scope_has_keys(const struct scope *s);
/* A profile's name in the files' memory, so that it lives as long as they do. */
const char *scope_section_name(const struct aws_files *files, const char *name);

/* ERR_CONFIG at that property. Returns -1. */
__attribute__((format(printf, 5, 6))) int scope_refuse(const struct scope *s, const struct aws_property *at,
                                                       const char *hint, struct err *e, const char *fmt, ...);
/* ERR_CONFIG, with "did you mean". Returns -1. */
int scope_no_profile(const struct scope *s, struct err *e);

#endif
