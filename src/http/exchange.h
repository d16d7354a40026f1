/* SPDX-License-Identifier: MIT */
/* One HTTP exchange by libcurl. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <ipc/record.h>

struct exchange {
    long status;        /* 0: no answer */
    struct buf body;    /* at most HTTP_BODY_MAX bytes, wiped */
    struct buf headers; /* "Name: value" lines of the last answer */
    char failed[512];   /* why there is no answer */
    bool transient;     /* ... and another try may bring one */
    bool broken;        /* ... or the answer is over HTTP_BODY_MAX */
};
#define EXCHANGE_INIT                                                                                        \
    {                                                                                                        \
        .body = BUF_INIT(HTTP_BODY_MAX), .headers = BUF_INIT(65536)                                          \
    }
void exchange_release(struct exchange *x);

/* Makes the requested exchange. -1: the request itself is invalid (ERR_PROTOCOL, ERR_DATA). */
int exchange_run(const struct record *request, struct exchange *x, struct err *e);

#endif
