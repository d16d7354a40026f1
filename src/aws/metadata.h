/* The services that AWS puts beside a machine or a container: asked directly, never through a proxy. */
#ifndef AWS_METADATA_H
#define AWS_METADATA_H

#include <stdbool.h>

#include <aws/keys.h>
#include <base/err.h>
#include <ipc/http.h>

/* A request that no proxy sees, with `ms` for all of it. */
void metadata_start(struct http_request *r, const char *method, const char *url, long ms);

/* Wants the fields of keys (`Code` too); metadata_take_keys() takes them. They must be the request's first.
 */
void metadata_want_keys(struct http_request *r);
/* What the service says is wrong; "" where it says nothing. */
const char *metadata_code(const struct http_answer *a);
const char *metadata_message(const struct http_answer *a);
int metadata_take_keys(struct http_answer *a, const char *who, struct aws_keys *out, struct err *e);

/* A header's value can be sent: no line end, not empty. */
bool metadata_is_sendable(const char *value);

#endif
