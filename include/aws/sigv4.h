/* SPDX-License-Identifier: MIT */
/*
 * AWS Signature Version 4 (HMAC-SHA256), for requests signed in a header and for presigned queries.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html Uses only
 * libsodium, because loading libcrypto would slow `broker token` down.
 */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stddef.h>
#include <time.h>

#include <aws/keys.h>
#include <base/buf.h>
#include <base/err.h>

/* A query parameter, not yet encoded, or a header as it is sent. Values may contain any byte but NUL. */
struct sigv4_field {
    const char *name, *value;
};

/* The maximal number of either in one request, including the signer's own. */
#define SIGV4_FIELDS_MOST 32

struct sigv4_request {
    const char *method;
    const char *path;                /* as on the wire, starting with a slash; dots already resolved */
    const struct sigv4_field *query; /* may be NULL */
    size_t query_count;
    const struct sigv4_field *header; /* all are signed; Host must be among them */
    size_t header_count;
    const void *body; /* NULL: empty */
    size_t body_len;
    const char *region, *service;
    time_t now;
};

/* "20150830T123600Z"; its first 8 characters are the date. */
void sigv4_date(time_t t, char out[17]);

/*
 * Signs in headers. The caller sends the request's own headers unchanged and adds X-Amz-Date,
 * X-Amz-Security-Token if the keys have a token, and Authorization, whose value is appended to `out`.
 */
int sigv4_authorization(const struct sigv4_request *r, const struct aws_keys *keys, struct buf *out,
                        struct err *e);

/*
 * Presigns: appends the whole query (encoded, the signature last) to `out`. The order is botocore's:
 * the request's own parameters as given, then Algorithm, Credential, Date, Expires, SignedHeaders,
 * Security-Token. `expires` is in seconds.
 */
int sigv4_presign(const struct sigv4_request *r, const struct aws_keys *keys, unsigned expires,
                  struct buf *out, struct err *e);

/* The intermediate values, for tests: the canonical request of exactly these fields, and the string to sign.
 */
void sigv4_canonical_request(const struct sigv4_request *r, struct buf *out);
void sigv4_string_to_sign(const struct sigv4_request *r, const char *canonical_request, struct buf *out);

#endif
