/* SPDX-License-Identifier: MIT */
/*
 * A secret: an opaque value of fixed capacity in guarded, locked memory that is left out of core dumps. It is
 * wiped on release. All secrets of a process share one libsodium arena (a guarded allocation costs 30
 * microseconds). secret_bytes() is the only way to read it; tests/lint/secret_bytes.allow lists the files
 * that may call it.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <base/err.h>

/* The largest secret, in bytes; a larger one is ERR_DATA. Long RDS tokens have 16 KiB. */
#define SECRET_MAX 65536

struct secret;

/* An empty secret with room for `cap` bytes. Out of memory ends the program. */
struct secret *secret_new(size_t cap);
/* Wipes; NULL is fine. */
void secret_free(struct secret *s);
void secret_free_cleanup(struct secret **s);
#define AUTO_SECRET(name) __attribute__((cleanup(secret_free_cleanup))) struct secret *name = NULL

struct secret *secret_from(const void *bytes, size_t n);
/* Appends; -1 (nothing appended) past the capacity. */
int secret_add(struct secret *s, const void *bytes, size_t n);
/* Truncates to `len` bytes and wipes the rest. */
void secret_cut(struct secret *s, size_t len);

/* The bytes, followed by a NUL. Valid until release. */
const char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);
/* Constant time in the content. */
bool secret_equal(const struct secret *a, const struct secret *b);

/*
 * Reads up to end of file, at most `max` bytes, straight into a secret. ERR_IO, or ERR_DATA past the bound.
 * The caller gets *out. With `line`, stops after the first LF and reads byte by byte, so that nothing after
 * it is consumed.
 */
int secret_read_fd(int fd, size_t max, bool line, struct secret **out, struct err *e);

/* Drops one final LF or CRLF. */
void secret_chomp(struct secret *s);
/* Keeps the first line, without its LF or CRLF. */
void secret_keep_line(struct secret *s);

#endif
