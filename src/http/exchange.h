/* SPDX-License-Identifier: MIT */
/* One HTTP exchange through libcurl. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <ipc/record.h>

struct exchange {
    long status;        /* the HTTP status; 0: there was no response */
    struct buf body;    /* the response body, at most HTTP_BODY_MAX bytes; wiped on release */
    struct buf headers; /* "Name: value" lines of the final response */
    char failed[512];   /* why there was no response */
    bool transient;     /* there was no response, but a retry may succeed */
    bool broken;        /* the response was larger than HTTP_BODY_MAX */
};
#define EXCHANGE_INIT                                                                                        \
    {                                                                                                        \
        .body = BUF_INIT(HTTP_BODY_MAX), .headers = BUF_INIT(65536)                                          \
    }
void exchange_release(struct exchange *x);

/* Sends the request in `request` and fills *x. Returns -1 if the request itself is invalid (ERR_PROTOCOL,
 * ERR_DATA). */
int exchange_run(const struct record *request, struct exchange *x, struct err *e);

#endif
