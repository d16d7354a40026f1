/* SPDX-License-Identifier: MIT */
/*
 * AWS Signature Version 4 (HMAC-SHA256), for requests signed in a header and for presigned URLs:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html Uses only
 * libsodium, because loading libcrypto would slow down `broker token`.
 */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stddef.h>
#include <time.h>

#include <aws/keys.h>
#include <base/buf.h>
#include <base/err.h>

/* A query parameter before encoding, or a header as it is sent. A value may contain any byte except NUL. */
struct sigv4_field {
    const char *name, *value;
};

/* The maximum number of query parameters, and of headers, including those that signing adds. */
#define SIGV4_FIELDS_MOST 32

struct sigv4_request {
    const char *method;
    const char *path;                /* as sent, starting with a slash, without `.` and `..` segments */
    const struct sigv4_field *query; /* the query parameters; may be NULL */
    size_t query_count;
    const struct sigv4_field *header; /* the headers, which are all signed; must include Host */
    size_t header_count;
    const void *body; /* the request body; NULL: empty */
    size_t body_len;
    const char *region, *service;
    time_t now;
};

/* Formats a time as "20150830T123600Z"; the first 8 characters are the date. */
void sigv4_date(time_t t, char out[17]);

/*
 * Computes the signature of a request and appends the value of the Authorization header to `out`. The caller
 * sends the headers of `r` unchanged and adds X-Amz-Date, Authorization, and X-Amz-Security-Token if the keys
 * have a token.
 */
int sigv4_authorization(const struct sigv4_request *r, const struct aws_keys *keys, struct buf *out,
                        struct err *e);

/*
 * Appends a presigned query to `out`: percent-encoded, with the signature last. The order is botocore's: the
 * request's own parameters, then Algorithm, Credential, Date, Expires, SignedHeaders, Security-Token.
 * `expires` is in seconds.
 */
int sigv4_presign(const struct sigv4_request *r, const struct aws_keys *keys, unsigned expires,
                  struct buf *out, struct err *e);

/* The two intermediate values of a signature, for tests: the canonical request, and the string to sign. */
void sigv4_canonical_request(const struct sigv4_request *r, struct buf *out);
void sigv4_string_to_sign(const struct sigv4_request *r, const char *canonical_request, struct buf *out);

#endif
