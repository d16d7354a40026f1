/* SPDX-License-Identifier: MIT */
/* The JSON cache files of AWS's own tools. broker reads them, and rewrites a file when a refresh token in it
 * is renewed. */
#ifndef AWS_CACHE_FILE_H
#define AWS_CACHE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <aws/keys.h>
#include <base/err.h>
#include <base/file.h>
#include <base/secret.h>
#include <model/json.h>

/* The maximum size of a file in bytes; the CLI's files have a few thousand. */
#define CACHE_FILE_MOST (256 * 1024)

/*
 * Reads a JSON object. Returns NULL if the file is missing, unreadable, too large, or not a JSON object. The
 * CLI rewrites files in place, so a partly written file is possible; it counts as missing.
 */
json_t *cache_file_read(const char *path);
json_t *cache_file_parse(const char *text, size_t n);

/* Writes the file through a temporary file and rename(), with mode 0600, and creates missing directories with
 * mode 0700. Fails with ERR_IO. */
int cache_file_write(const char *path, const json_t *root, struct err *e);

/* Returns NULL if the field is missing, not a string, or empty. */
const char *cache_file_text(const json_t *root, const char *key);
/* Returns the field as a secret, which the caller frees; NULL also if it is longer than SECRET_MAX / 2
 * bytes. */
struct secret *cache_file_secret(const json_t *root, const char *key);
/* Parses a time in RFC 3339 with any of the suffixes that AWS's tools have used: Z, +00:00, UTC. */
bool cache_file_time(const json_t *root, const char *key, time_t *out);

/* Reads a role's keys from the CLI's cache. Returns false if there are none or if they expire within 15
 * minutes; the CLI would not use those either. */
bool cache_file_keys(const json_t *root, struct aws_keys *out);

void cache_file_put(json_t *root, const char *key, const char *value);
void cache_file_put_time(json_t *root, const char *key, time_t value);

/* Locks the cache file `path` (base/file.h). Fails with ERR_TRY_LATER at the deadline. If locks are not
 * possible, continues without one. */
int cache_file_lock(const char *path, int64_t deadline, struct file_lock *out, struct err *e);

/* Sets *out to the path of FOLDER/NAME in the home directory (malloced). Fails with ERR_CONFIG if there is no
 * home directory. */
int cache_file_path(const char *folder, const char *name, char **out, struct err *e);

#endif
