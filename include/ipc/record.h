/* SPDX-License-Identifier: MIT */
/*
 * A record is a message between broker and one of its helpers (docs/records.md). It has a size limit and a
 * version, consists of tagged fields, and is wiped on release, because it may contain a secret.
 *
 *   0   4  length of the rest, big-endian, at most RECORD_MAX
 *   4   1  version, RECORD_VERSION
 *   5   1  kind: a verb in a request, RECORD_OK or RECORD_ERROR in an answer
 *   6   .. fields: 1 byte tag, 4 bytes length (big-endian), that many bytes
 */
#ifndef IPC_RECORD_H
#define IPC_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>

#define RECORD_VERSION 1
#define RECORD_MAX (1024 * 1024)
enum { RECORD_OK = 1, RECORD_ERROR = 2, RECORD_FIRST_VERB = 16 };

/* The sizes of the header of a record, and of a field. */
#define RECORD_HEADER 6
#define FIELD_HEADER 5

/* Tags of an error record: the fields of struct err. */
enum { ERR_TAG_CODE = 1, ERR_TAG_WHAT, ERR_TAG_MSG, ERR_TAG_DETAIL, ERR_TAG_HINT, ERR_TAG_NUMBER };

struct record {
    uint8_t kind;
    struct buf body; /* the fields, as they are sent */
};
#define RECORD_INIT                                                                                          \
    {                                                                                                        \
        .body = BUF_INIT(RECORD_MAX)                                                                         \
    }
#define AUTO_RECORD(name) __attribute__((cleanup(record_release))) struct record name = RECORD_INIT
void record_release(struct record *r);

/* Appends a field. If it does not fit, record_write() later fails. */
void record_put(struct record *r, uint8_t tag, const void *bytes, size_t n);
void record_put_str(struct record *r, uint8_t tag, const char *s); /* NULL: adds no field */
void record_put_u64(struct record *r, uint8_t tag, uint64_t v);
void record_put_secret(struct record *r, uint8_t tag, const struct secret *s);
/* Turns a record into an error record with the contents of *e. */
void record_put_error(struct record *r, const struct err *e);

/* One field of a record. */
struct field {
    uint8_t tag;
    const char *bytes; /* the content of the field, which points into the record */
    size_t len;
};
int record_next(const struct record *r, size_t *offset, struct field *f, struct err *e);

/* Finds the first field with that tag; false if there is none. */
bool record_find(const struct record *r, uint8_t tag, struct field *f);
/* Returns a field as a string that the caller frees, up to the first NUL; NULL if it is absent. */
char *record_str(const struct record *r, uint8_t tag);
uint64_t record_u64(const struct record *r, uint8_t tag, uint64_t absent);
/* Returns a field as a secret that the caller frees; NULL if it is absent or longer than SECRET_MAX bytes. */
struct secret *record_secret(const struct record *r, uint8_t tag);
/* Fills *e from an error record; sets ERR_PROTOCOL if it has no known code. Always returns -1. */
int record_error(const struct record *r, struct err *e);

/*
 * Reads a whole record by the deadline (in ms, as clock_ms()). Returns 1; 0 at end of file before the first
 * byte; -1 with ERR_PROTOCOL (truncated, malformed, another version), ERR_UNREACHABLE (past the deadline) or
 * ERR_IO.
 */
int record_read(int fd, struct record *r, int64_t deadline, struct err *e);
/*
 * Writes a whole record to a pipe or socket by the deadline. Fails with ERR_PROTOCOL if the reader has closed
 * it (no SIGPIPE is raised), ERR_UNREACHABLE if it does not read in time, and ERR_DATA if the record is
 * larger than RECORD_MAX (nothing is written then).
 */
int record_write(int fd, const struct record *r, int64_t deadline, struct err *e);
/*
 * Reads once from fd, without waiting if fd is non-blocking, and appends the bytes to *in. Returns 1 with *r
 * filled in if *in then starts with a whole record, 0 if more of it must arrive. Returns -1 at end of file,
 * on a read error, and if the record is malformed or does not fit in *in.
 */
int record_receive(int fd, struct buf *in, struct record *r);
/* Parses a record in memory, with the checks of record_read(). Returns 0, or -1 with ERR_PROTOCOL. */
int record_parse(const void *bytes, size_t n, struct record *r, struct err *e);

#endif
