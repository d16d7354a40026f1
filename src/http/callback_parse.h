/* SPDX-License-Identifier: MIT */
/* What a request to the listener of a login is. Pure. */
#ifndef HTTP_CALLBACK_PARSE_H
#define HTTP_CALLBACK_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>

/* The most bytes of a request's head, and of its body. */
#define CALLBACK_HEAD_MAX 16384
#define CALLBACK_BODY_MAX 16384
/* Where the browser is sent from the callback, so that the code is not in its history. */
#define CALLBACK_DONE_PATH "/done"

struct callback_wanted {
    const char *base; /* http://HOST:PORT/PATH */
    const char *path; /* of it */
    unsigned port;
    const char *state; /* NULL: the one request has come */
    bool form;
};

/* What the provider said. */
struct callback_values {
    struct buf code, id_token, error, description;
};
#define CALLBACK_VALUES_INIT                                                                                 \
    {                                                                                                        \
        .code = BUF_INIT(8192), .id_token = BUF_INIT(CALLBACK_BODY_MAX), .error = BUF_INIT(256),             \
        .description = BUF_INIT(1024)                                                                        \
    }
void callback_values_release(struct callback_values *v);

enum callback_verdict {
    CALLBACK_MORE = 0,      /* the request is not whole yet */
    CALLBACK_PAGE = 200,    /* it asks for the page that says how the login ended */
    CALLBACK_IS = 303,      /* it is the one, and *out is filled */
    CALLBACK_BAD = 400,     /* not well-formed, another Host, state, or none */
    CALLBACK_NO_PATH = 404, /* another path */
    CALLBACK_NO_METHOD = 405,
    CALLBACK_NO_BODY = 413, /* a body that is too long, or of another form */
    CALLBACK_LONG = 431,    /* a head that is too long */
};

/* Judges the first `n` bytes of a request. The values are statuses of HTTP. */
enum callback_verdict callback_judge(const struct callback_wanted *want, const char *bytes, size_t n,
                                     struct callback_values *out);

/* The same of an address that a person pasted: CALLBACK_IS or CALLBACK_BAD. */
enum callback_verdict callback_judge_pasted(const struct callback_wanted *want, const char *text, size_t n,
                                            struct callback_values *out);

#endif
