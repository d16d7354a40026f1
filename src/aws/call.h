/* SPDX-License-Identifier: MIT */
/*
 * One call of an AWS API: an HTTP request by broker-http, signed or not, retried as the SDKs do
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, "standard").
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
    const char *name; /* the name in messages: "AWS STS" */
    const struct aws_endpoint *endpoint;
    const struct aws_keys *keys; /* sign with these; NULL: unsigned */
    const char *method,
        *path;                /* the path after the endpoint's URL, with its query; not for signed requests */
    const char *content_type; /* NULL: none */
    const struct buf *body;   /* NULL: none */
    const char *header;       /* one more header, or NULL */
    const struct secret *header_value;
    const struct aws_want *want; /* their numbers in the answer are their indexes here */
    size_t want_count;
    const char *retry_code; /* an error code of this call that is worth another try, in addition to the common
                               ones; NULL */
};

/* The service's error. */
struct aws_refusal {
    unsigned status;    /* 0: no answer came */
    char code[128];     /* "AccessDenied"; empty: none given */
    char message[1024]; /* sanitised */
};

/*
 * 0: an answer with status 2xx. -1: ERR_REFUSED with the service's own text (ours for a wrong clock),
 * ERR_TRY_LATER if it throttled us or is down, ERR_UNREACHABLE, ERR_PROTOCOL; *why is filled.
 */
int aws_call_run(const struct aws_call *c, int64_t deadline, struct http_answer *answer,
                 struct aws_refusal *why, struct err *e);

/* The fields of an answer that are keys; -1: it has no such number. */
struct aws_keys_fields {
    int id, secret, token, expiration;
};
/* Moves them out of the answer. ERR_PROTOCOL, naming `who`, if one is missing or invalid. */
int aws_keys_take(struct http_answer *a, const struct aws_keys_fields *at, const char *who,
                  struct aws_keys *out, struct err *e);

/* AWS's times: RFC 3339, and the form of older CLI versions ("...UTC" for "...Z"). */
bool aws_time_parse(const char *s, time_t *out);

#endif
