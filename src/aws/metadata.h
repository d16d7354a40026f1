/* SPDX-License-Identifier: MIT */
/* The metadata services of an instance or container: asked directly, never through a proxy. */
#ifndef AWS_METADATA_H
#define AWS_METADATA_H

#include <stdbool.h>

#include <aws/keys.h>
#include <base/err.h>
#include <ipc/http.h>

/* Starts a request without a proxy, with `ms` for all of it. */
void metadata_start(struct http_request *r, const char *method, const char *url, long ms);

/* Requests the fields of keys and `Code`, which must be the request's first; metadata_take_keys() takes them.
 */
void metadata_want_keys(struct http_request *r);
/* The service's error text; "" if there is none. */
const char *metadata_code(const struct http_answer *a);
const char *metadata_message(const struct http_answer *a);
int metadata_take_keys(struct http_answer *a, const char *who, struct aws_keys *out, struct err *e);

/* Whether a header's value can be sent: no line end, not empty. */
bool metadata_is_sendable(const char *value);

#endif
