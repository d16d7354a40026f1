/*
 * ~/.aws/config and ~/.aws/credentials, both read as the AWS CLI reads them (docs/aws-files.md) and looked at
 * together: for one profile, a property of the credentials file wins over the same one of the config file. A
 * section that is wrong is no matter until somebody wants to use it: aws_files_check().
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

/* The most bytes of one file; the lists that some tools write for thousands of accounts are below it. */
#define AWS_FILE_MOST (4 * 1024 * 1024)

enum aws_file { AWS_FILE_CONFIG, AWS_FILE_CREDENTIALS };
#define AWS_FILES 2

/* AWS_DEFAULTS is [DEFAULT]: what every section of its file has that does not say otherwise. */
enum aws_section_kind { AWS_PROFILE, AWS_SSO_SESSION, AWS_SERVICES, AWS_DEFAULTS };

/* One `KEY = VALUE` of a section. */
struct aws_property {
    const char *key, *value; /* the key in lower case; a value with sub-properties starts with a line end */
    unsigned line;
    enum aws_file file;
};

/* A section as it stands in a file; one that is repeated is there again. Of several that have one name in
 * other words ([default], [profile default]) the last one counts, and nothing of the others. */
struct aws_section {
    enum aws_section_kind kind;
    const char *header, *name; /* what stands between the brackets, and the name that it means */
    enum aws_file file;
    unsigned line;
    size_t first, count;           /* of its properties */
    const struct ini_fault *fault; /* the first one, in line `fault_line`; NULL: none */
    unsigned fault_line;
};

/* Strings point into the texts, which hold secrets and are wiped at the end. */
struct aws_files {
    char *path[AWS_FILES]; /* where they were looked for, also if they are not there; NULL: no home */
    struct buf text[AWS_FILES];
    struct aws_section *section;
    struct aws_property *property;
    size_t section_count, property_count;
    struct words names; /* of sections whose name is not the header itself */
};
void aws_files_release(struct aws_files *f);
#define AUTO_AWS_FILES(name)                                                                                 \
    __attribute__((cleanup(aws_files_release))) struct aws_files name = {                                    \
        .text = {BUF_INIT(AWS_FILE_MOST), BUF_INIT(AWS_FILE_MOST)}}

/*
 * Reads both. What is not there, or no regular file, is empty. ERR_CONFIG with e->what "FILE:LINE" for what
 * the grammar forbids and for a file over AWS_FILE_MOST; ERR_IO for one that cannot be read.
 */
int aws_files_load(const struct aws_env *env, struct aws_files *out, struct err *e);
/* The same from texts in memory (NULL: no such file), for tests and fuzzing. Copies. */
int aws_files_parse(const char *config, size_t config_len, const char *credentials, size_t credentials_len,
                    struct aws_files *out, struct err *e);

/* Whether such a section is in any of the files. */
bool aws_files_has(const struct aws_files *f, enum aws_section_kind kind, const char *name);

/*
 * To be called before a section is used: ERR_CONFIG, with e->what "FILE:LINE", where a line of it (or of its
 * file's [DEFAULT]) is wrong, or it or a key of it is there twice. 0 also where there is no such section.
 */
int aws_files_check(const struct aws_files *f, enum aws_section_kind kind, const char *name, struct err *e);

/* The property of a section as both files together have it; NULL where there is none. */
const struct aws_property *aws_files_property(const struct aws_files *f, enum aws_section_kind kind,
                                              const char *name, const char *key);
/* And of one file alone: the two halves of a pair of keys must not come from two files. */
const struct aws_property *aws_files_property_of(const struct aws_files *f, enum aws_file file,
                                                 const char *name, const char *key);

/* A property of the profile that the sso-session has too, with another value; NULL: none. */
const struct aws_property *aws_files_conflict(const struct aws_files *f, const char *profile,
                                              const char *session);

/* A sub-property (`sts =` and below it, indented, `endpoint_url = X`) of a value; appended to `out`. */
bool aws_files_nested(const struct aws_property *p, const char *key, struct buf *out);

/* "~/.aws/config:12", for messages; malloced. */
char *aws_files_place(const struct aws_files *f, const struct aws_property *p);

/* A boolean of AWS: true in any letter case; NULL is false. */
bool aws_is_true(const char *value);

#endif
