/* SPDX-License-Identifier: MIT */
/* A JSON file of AWS's own tools, which we read, and write back as a whole when a refresh token rotates. */
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

/* The maximal size in bytes; the CLI's files have a few thousand. */
#define CACHE_FILE_MOST (256 * 1024)

/*
 * Reads the object. NULL: missing, unreadable, too large, or not a JSON object. The CLI rewrites files in
 * place, so half a file may be seen; it counts as none.
 */
json_t *cache_file_read(const char *path);
json_t *cache_file_parse(const char *text, size_t n);

/* Writes the whole file by a temporary file and rename, 0600 in folders of 0700. ERR_IO. */
int cache_file_write(const char *path, const json_t *root, struct err *e);

/* NULL: missing, not a string, or empty. */
const char *cache_file_text(const json_t *root, const char *key);
/* The same as a secret, which the caller frees; NULL also over SECRET_MAX / 2 bytes. */
struct secret *cache_file_secret(const json_t *root, const char *key);
/* RFC 3339 in every form that the tools have written: ...Z, ...+00:00, ...UTC. */
bool cache_file_time(const json_t *root, const char *key, time_t *out);

/* A role's keys from the CLI's cache. False: none, or less than 15 minutes left, when the CLI would not use
 * them either. */
bool cache_file_keys(const json_t *root, struct aws_keys *out);

void cache_file_put(json_t *root, const char *key, const char *value);
void cache_file_put_time(json_t *root, const char *key, time_t value);

/* Locks that file (base/file.h): ERR_TRY_LATER past the deadline. If no lock can be made, continues without
 * one. */
int cache_file_lock(const char *path, int64_t deadline, struct file_lock *out, struct err *e);

/* "FOLDER/NAME" below the home; ERR_CONFIG without a home. Malloced. */
int cache_file_path(const char *folder, const char *name, char **out, struct err *e);

#endif
