/* SPDX-License-Identifier: MIT */
/*
 * ~/.aws/config and ~/.aws/credentials, both parsed as the AWS CLI does (docs/aws-files.md) and merged: a
 * property of a profile in the credentials file overrides the one in the config file. An invalid section is
 * an error only if it is used: see aws_files_check().
 */
#ifndef AWS_FILES_H
#define AWS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include <aws/env.h>
#include <base/buf.h>
#include <base/err.h>
#include <base/text.h>
#include <model/ini.h>

/* The maximum size of one file in bytes; files that tools generate for thousands of accounts are smaller. */
#define AWS_FILE_MOST (4 * 1024 * 1024)

enum aws_file { AWS_FILE_CONFIG, AWS_FILE_CREDENTIALS };
#define AWS_FILES 2

/* AWS_DEFAULTS is the section [DEFAULT], which has default values for every section of its file. */
enum aws_section_kind { AWS_PROFILE, AWS_SSO_SESSION, AWS_SERVICES, AWS_DEFAULTS };

/* One line `KEY = VALUE` of a section. */
struct aws_property {
    const char *key, *value; /* the key is in lower case; a value with sub-properties starts with a newline */
    unsigned line;
    enum aws_file file;
};

/* One section of a file; a duplicate section has an entry of its own. If a name is spelled in several ways
 * ([default], [profile default]), only the last section counts. */
struct aws_section {
    enum aws_section_kind kind;
    const char *header, *name; /* the text between the brackets, and the profile or session name in it */
    enum aws_file file;
    unsigned line;
    size_t first, count;           /* the section's properties: index of the first, and their number */
    const struct ini_fault *fault; /* the first syntax error, in line `fault_line`; NULL: none */
    unsigned fault_line;
};

/* The strings point into `text`, which holds secrets and is wiped on release. */
struct aws_files {
    char *path[AWS_FILES]; /* the paths, also of files that do not exist; NULL: no home directory */
    struct buf text[AWS_FILES];
    struct aws_section *section;
    struct aws_property *property;
    size_t section_count, property_count;
    struct words names; /* owns the names that are not a part of their header */
};
void aws_files_release(struct aws_files *f);

/*
 * Reads both files. A file that is missing or not a regular file counts as empty. Fails with ERR_CONFIG and
 * "FILE:LINE" in e->what for a syntax error, with ERR_CONFIG for a file larger than AWS_FILE_MOST, and with
 * ERR_IO for a file that cannot be read.
 */
int aws_files_load(const struct aws_env *env, struct aws_files *out, struct err *e);
/* Parses texts in memory instead (NULL: no such file), for tests and fuzzing. Copies the texts. */
int aws_files_parse(const char *config, size_t config_len, const char *credentials, size_t credentials_len,
                    struct aws_files *out, struct err *e);

/* Returns whether one of the files has such a section. */
bool aws_files_has(const struct aws_files *f, enum aws_section_kind kind, const char *name);

/*
 * To be called before a section is used. Fails with ERR_CONFIG and "FILE:LINE" in e->what if the section, or
 * the [DEFAULT] of its file, has an invalid line, or if the section or one of its keys is duplicated. Returns
 * 0 if there is no such section.
 */
int aws_files_check(const struct aws_files *f, enum aws_section_kind kind, const char *name, struct err *e);

/* Returns a property of a section, merged from both files; NULL if there is none. */
const struct aws_property *aws_files_property(const struct aws_files *f, enum aws_section_kind kind,
                                              const char *name, const char *key);
/* Returns a property of a profile from one file only, because the two halves of a key pair must be in the
 * same file. */
const struct aws_property *aws_files_property_of(const struct aws_files *f, enum aws_file file,
                                                 const char *name, const char *key);

/* Returns a property of the profile whose value differs from the one in its sso-session section; NULL if
 * there is none. */
const struct aws_property *aws_files_conflict(const struct aws_files *f, const char *profile,
                                              const char *session);

/* Stores in `out` the sub-property `key` of a value, for example `endpoint_url` in an indented line below
 * `sts =`. Returns false if there is none. */
bool aws_files_nested(const struct aws_property *p, const char *key, struct buf *out);

/* Returns the place of a property for messages, for example "~/.aws/config:12". The caller frees it. */
char *aws_files_place(const struct aws_files *f, const struct aws_property *p);

/* Returns whether an AWS boolean is "true", in any letter case. NULL is false. */
bool aws_is_true(const char *value);

#endif
