/* SPDX-License-Identifier: MIT */
/* Time: a monotonic clock in milliseconds, deadlines, durations for display, RFC 3339 timestamps. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct buf;

/* Returns CLOCK_MONOTONIC in milliseconds. A deadline is such a value; CLOCK_NEVER means no deadline. */
int64_t clock_ms(void);
#define CLOCK_NEVER INT64_MAX

/* Returns the deadline moved `ms` later; CLOCK_NEVER stays CLOCK_NEVER. */
int64_t clock_later(int64_t deadline, int64_t ms);
/* Returns the time `ms` from now, but not after `cap` (the deadline of the whole run, or CLOCK_NEVER). */
int64_t clock_deadline(int64_t ms, int64_t cap);
/* Returns the milliseconds left until the deadline: 0 if it has passed, at most INT_MAX, for poll(2). */
int clock_left(int64_t deadline);

/* Returns the milliseconds since the program started (for --verbose). */
int64_t clock_since_start(void);

/* Appends a duration such as "0ms", "45s", "11m", "3h12m" or "2d4h", rounded down. */
void clock_format_duration(struct buf *out, int64_t ms);
/* Appends the time in UTC as in RFC 3339, to the second: 2026-11-21T07:00:00Z. */
void clock_format_utc(struct buf *out, time_t t);
/*
 * Parses RFC 3339 section 5.6 and the other ISO 8601 forms that programs write: 20261121T070000Z, no seconds,
 * +0000, +00, and " UTC" or " GMT" for Z. Fractions are dropped. Returns false if it is malformed, or has no
 * offset and so no known time zone.
 */
bool clock_parse_utc(const char *s, time_t *out);

#endif
