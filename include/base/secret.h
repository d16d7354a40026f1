/* SPDX-License-Identifier: MIT */
/*
 * A secret: an opaque value of fixed capacity in guarded, locked memory that is left out of core dumps. It is
 * wiped when it is freed. All secrets of a process share one libsodium arena, because a guarded allocation
 * costs 30 microseconds. secret_bytes() is the only way to read it; tests/lint/secret_bytes.allow lists the
 * files that may call it.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <base/err.h>

/* The size of the largest secret in bytes; a larger one is ERR_DATA. Long RDS tokens have 16 KiB. */
#define SECRET_MAX 65536

struct secret;

/* Returns an empty secret with room for `cap` bytes. Ends the program if memory is exhausted. */
struct secret *secret_new(size_t cap);
/* Wipes and frees a secret; does nothing for NULL. */
void secret_free(struct secret *s);
void secret_free_cleanup(struct secret **s);
#define AUTO_SECRET(name) __attribute__((cleanup(secret_free_cleanup))) struct secret *name = NULL

struct secret *secret_from(const void *bytes, size_t n);
/* Appends n bytes. Returns -1 and appends nothing if they do not fit. */
int secret_add(struct secret *s, const void *bytes, size_t n);
/* Truncates to `len` bytes and wipes the rest. */
void secret_cut(struct secret *s, size_t len);

/* Returns the bytes, followed by a NUL. Valid until the secret is freed. */
const char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);
/* Compares in constant time, whatever the content. */
bool secret_equal(const struct secret *a, const struct secret *b);

/*
 * Reads up to end of file, at most `max` bytes, directly into a secret; the caller frees *out. With `line`,
 * stops after the first LF and reads byte by byte, so that nothing after it is consumed. ERR_IO, or ERR_DATA
 * if there is more than `max`.
 */
int secret_read_fd(int fd, size_t max, bool line, struct secret **out, struct err *e);

/* Removes one final LF or CRLF. */
void secret_chomp(struct secret *s);
/* Keeps only the first line, without its LF or CRLF. */
void secret_keep_line(struct secret *s);

#endif
