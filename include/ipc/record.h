/* SPDX-License-Identifier: MIT */
/*
 * A record: the message format between broker and its helpers (docs/records.md). It is bounded, versioned,
 * made of tagged fields, and wiped on release, because it may hold a secret.
 *
 *   0   4  length of all that follows, big-endian, at most RECORD_MAX
 *   4   1  version, RECORD_VERSION
 *   5   1  kind: a request's verb, or RECORD_OK / RECORD_ERROR in an answer
 *   6   .. fields: 1 byte tag, 4 bytes length big-endian, the bytes
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

/* Size of the header of a record, and of a field. */
#define RECORD_HEADER 6
#define FIELD_HEADER 5

/* Tags of an error record: the fields of struct err. */
enum { ERR_TAG_CODE = 1, ERR_TAG_WHAT, ERR_TAG_MSG, ERR_TAG_DETAIL, ERR_TAG_HINT, ERR_TAG_NUMBER };

struct record {
    uint8_t kind;
    struct buf body; /* the fields, as on the wire */
};
#define RECORD_INIT                                                                                          \
    {                                                                                                        \
        .body = BUF_INIT(RECORD_MAX)                                                                         \
    }
#define AUTO_RECORD(name) __attribute__((cleanup(record_release))) struct record name = RECORD_INIT
void record_release(struct record *r);

/* Appends one field. If it does not fit, record_write() later refuses the record. */
void record_put(struct record *r, uint8_t tag, const void *bytes, size_t n);
void record_put_str(struct record *r, uint8_t tag, const char *s); /* NULL: no field */
void record_put_u64(struct record *r, uint8_t tag, uint64_t v);
void record_put_secret(struct record *r, uint8_t tag, const struct secret *s);
void record_put_error(struct record *r, const struct err *e); /* makes it an error record */

/* Iterates over the fields in order. 1: a field, 0: the end, -1: malformed (ERR_PROTOCOL). */
struct field {
    uint8_t tag;
    const char *bytes; /* points into the record */
    size_t len;
};
int record_next(const struct record *r, size_t *offset, struct field *f, struct err *e);

/* Finds the first field with that tag; false if there is none. */
bool record_find(const struct record *r, uint8_t tag, struct field *f);
/* A field as a malloced string (NULL: absent). Cut at an embedded NUL. */
char *record_str(const struct record *r, uint8_t tag);
uint64_t record_u64(const struct record *r, uint8_t tag, uint64_t absent);
/* The caller frees. NULL: absent, or over SECRET_MAX bytes. */
struct secret *record_secret(const struct record *r, uint8_t tag);
/* Fills *e from an error record; ERR_PROTOCOL if it holds no known code. Always -1. */
int record_error(const struct record *r, struct err *e);

/*
 * Reads one whole record by the deadline (ms of clock_ms()). 1: read, 0: end of file before the first byte,
 * -1: ERR_PROTOCOL (cut short, malformed, another version), ERR_UNREACHABLE (past the deadline), ERR_IO.
 */
int record_read(int fd, struct record *r, int64_t deadline, struct err *e);
/*
 * Writes one whole record to a pipe by the deadline; ERR_PROTOCOL if the reader has gone (without SIGPIPE),
 * ERR_UNREACHABLE if it does not read, ERR_DATA for a record over RECORD_MAX (nothing is written).
 */
int record_write(int fd, const struct record *r, int64_t deadline, struct err *e);
/*
 * For a connection that brings one record, whose bytes may come in pieces: reads what is there, without
 * waiting if fd does not block, into `in`, whose bound is that of the record. 1: *r is whole (what follows it
 * is not looked at), 0: more has to come, -1: end of file, a failed read, or bytes that are no such record.
 */
int record_receive(int fd, struct buf *in, struct record *r);
/* Parses a record in memory with all the checks of record_read(). 0, or -1 with ERR_PROTOCOL. */
int record_parse(const void *bytes, size_t n, struct record *r, struct err *e);

#endif
