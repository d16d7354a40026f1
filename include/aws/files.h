/* SPDX-License-Identifier: MIT */
/*
 * ~/.aws/config and ~/.aws/credentials, both read as the AWS CLI reads them (docs/aws-files.md) and merged:
 * for one profile, a property of the credentials file overrides the same one of the config file. An invalid
 * section is an error only if it is used: aws_files_check().
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

/* The maximal size of one file in bytes; files that tools generate for thousands of accounts are smaller. */
#define AWS_FILE_MOST (4 * 1024 * 1024)

enum aws_file { AWS_FILE_CONFIG, AWS_FILE_CREDENTIALS };
#define AWS_FILES 2

/* AWS_DEFAULTS is [DEFAULT]: default values for every section of its file. */
enum aws_section_kind { AWS_PROFILE, AWS_SSO_SESSION, AWS_SERVICES, AWS_DEFAULTS };

/* One `KEY = VALUE` of a section. */
struct aws_property {
    const char *key,
        *value; /* the key is in lower case; a value with sub-properties starts with a line end */
    unsigned line;
    enum aws_file file;
};

/* A section as it stands in a file; a repeated one occurs again. If several spellings mean one name
 * ([default], [profile default]), only the last one counts. */
struct aws_section {
    enum aws_section_kind kind;
    const char *header,
        *name; /* the text between the brackets, and the profile or session name that it means */
    enum aws_file file;
    unsigned line;
    size_t first, count;           /* of its properties */
    const struct ini_fault *fault; /* the first error, in line `fault_line`; NULL: none */
    unsigned fault_line;
};

/* Strings point into the texts, which hold secrets and are wiped at the end. */
struct aws_files {
    char *path[AWS_FILES]; /* their paths, even if they do not exist; NULL: no home */
    struct buf text[AWS_FILES];
    struct aws_section *section;
    struct aws_property *property;
    size_t section_count, property_count;
    struct words names; /* of names that differ from their header */
};
void aws_files_release(struct aws_files *f);

/*
 * Reads both. A file that is missing or not regular counts as empty. ERR_CONFIG with e->what "FILE:LINE" for
 * a syntax error and for a file over AWS_FILE_MOST; ERR_IO for a file that cannot be read.
 */
int aws_files_load(const struct aws_env *env, struct aws_files *out, struct err *e);
/* The same from texts in memory (NULL: no such file), for tests and fuzzing. Copies. */
int aws_files_parse(const char *config, size_t config_len, const char *credentials, size_t credentials_len,
                    struct aws_files *out, struct err *e);

/* Whether either file has such a section. */
bool aws_files_has(const struct aws_files *f, enum aws_section_kind kind, const char *name);

/*
 * Call it before a section is used: ERR_CONFIG, with e->what "FILE:LINE", if a line of it (or of its file's
 * [DEFAULT]) is invalid, or if it or one of its keys is duplicated. 0 also if there is no such section.
 */
int aws_files_check(const struct aws_files *f, enum aws_section_kind kind, const char *name, struct err *e);

/* A section's property, merged from both files; NULL if there is none. */
const struct aws_property *aws_files_property(const struct aws_files *f, enum aws_section_kind kind,
                                              const char *name, const char *key);
/* The same from one file only: the two halves of a key pair must not come from two files. */
const struct aws_property *aws_files_property_of(const struct aws_files *f, enum aws_file file,
                                                 const char *name, const char *key);

/* A property of the profile that its sso-session sets to another value; NULL: none. */
const struct aws_property *aws_files_conflict(const struct aws_files *f, const char *profile,
                                              const char *session);

/* A sub-property (`sts =` and below it, indented, `endpoint_url = X`) of a value; appended to `out`. */
bool aws_files_nested(const struct aws_property *p, const char *key, struct buf *out);

/* "~/.aws/config:12", for messages; malloced. */
char *aws_files_place(const struct aws_files *f, const struct aws_property *p);

/* A boolean of AWS: true in any letter case; NULL is false. */
bool aws_is_true(const char *value);

#endif
