/* SPDX-License-Identifier: MIT */
/* The metadata services of an instance or container, which are never called through a proxy. */
#ifndef AWS_METADATA_H
#define AWS_METADATA_H

#include <stdbool.h>

#include <aws/keys.h>
#include <base/err.h>
#include <ipc/http.h>

/* Starts a request that bypasses proxies and may take `ms` milliseconds in total. */
void metadata_start(struct http_request *r, const char *method, const char *url, long ms);

/* Requests the fields for the keys and `Code`, before any other field. metadata_take_keys() reads them. */
void metadata_want_keys(struct http_request *r);
/* The service's error code and message; "" if there is none. */
const char *metadata_code(const struct http_answer *a);
const char *metadata_message(const struct http_answer *a);
int metadata_take_keys(struct http_answer *a, const char *who, struct aws_keys *out, struct err *e);

/* Returns whether the text can be sent as a header value: not empty, and without line breaks. */
bool metadata_is_sendable(const char *value);

#endif
