/* SPDX-License-Identifier: MIT */
/*
 * Calls an AWS API over HTTPS through broker-http, with or without a signature, and retries as the AWS SDKs
 * do (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, "standard").
 */
#ifndef AWS_CALL_H
#define AWS_CALL_H

#include <aws/endpoint.h>
#include <aws/source.h>
#include <ipc/http.h>

struct aws_want {
    enum http_want kind;
    const char *path;
};

struct aws_call {
    const struct aws_context *context;
    const char *name; /* the service's name in messages, for example "AWS STS" */
    const struct aws_endpoint *endpoint;
    const struct aws_keys *keys; /* the keys to sign with; NULL: do not sign */
    const char *method,
        *path; /* appended to the endpoint's URL; may have a query, but not in a signed request */
    const char *content_type; /* the Content-Type header; NULL: none */
    const struct buf *body;   /* the request body; NULL: none */
    const char *header;       /* the name of an additional header, or NULL */
    const struct secret *header_value;
    const struct aws_want *want; /* the fields wanted from the answer, in which they have the same index */
    size_t want_count;
    const char *retry_code; /* an error code to retry in addition to the common ones, or NULL */
};

/* An error response of the service. */
struct aws_refusal {
    unsigned status;    /* the HTTP status; 0: there was no response */
    char code[128];     /* for example "AccessDenied"; empty if the service gave none */
    char message[1024]; /* the service's text, sanitised */
};

/*
 * Returns 0 if the status is 2xx. Otherwise returns -1, fills *why and sets ERR_REFUSED with the service's
 * own text (or our explanation if a clock is wrong), ERR_TRY_LATER if the service throttles or is down,
 * ERR_UNREACHABLE or ERR_PROTOCOL.
 */
int aws_call_run(const struct aws_call *c, int64_t deadline, struct http_answer *answer,
                 struct aws_refusal *why, struct err *e);

/* The indexes of the fields of an answer that contain keys; -1: the answer has no such field. */
struct aws_keys_fields {
    int id, secret, token, expiration;
};
/* Moves the keys out of the answer. Fails with ERR_PROTOCOL, naming `who`, if a field is missing or
 * invalid. */
int aws_keys_take(struct http_answer *a, const struct aws_keys_fields *at, const char *who,
                  struct aws_keys *out, struct err *e);

/* Parses a time from AWS: RFC 3339, or the form of older CLI versions ("...UTC" instead of "...Z"). */
bool aws_time_parse(const char *s, time_t *out);

#endif
