/* SPDX-License-Identifier: MIT */
/* Parses a request to the callback listener. */
#ifndef HTTP_CALLBACK_PARSE_H
#define HTTP_CALLBACK_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>

/* The maximum sizes in bytes of a request's head (request line and headers) and of its body. */
#define CALLBACK_HEAD_MAX 16384
#define CALLBACK_BODY_MAX 16384
/* The path to which the callback redirects the browser, so that the code is not in its history. */
#define CALLBACK_DONE_PATH "/done"

struct callback_wanted {
    const char *base; /* the callback URL, http://HOST:PORT/PATH */
    const char *path; /* the path in `base` */
    unsigned port;
    const char *state; /* the state it must have; NULL: the callback has already arrived */
    bool form;
};

/* The parameters that the provider sent. */
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
    CALLBACK_MORE = 0,      /* the request is incomplete */
    CALLBACK_PAGE = 200,    /* a request for the final page */
    CALLBACK_IS = 303,      /* the callback; *out is filled */
    CALLBACK_BAD = 400,     /* malformed, or with a wrong Host or state */
    CALLBACK_NO_PATH = 404, /* the path is not that of the callback */
    CALLBACK_NO_METHOD = 405,
    CALLBACK_NO_BODY = 413, /* the body is too long, or not the expected form */
    CALLBACK_LONG = 431,    /* the request line and headers are too long */
};

/* Classifies the first `n` bytes of a request. The result is an HTTP status code, or CALLBACK_MORE. */
enum callback_verdict callback_judge(const struct callback_wanted *want, const char *bytes, size_t n,
                                     struct callback_values *out);

/* Classifies a URL that the user pasted, as CALLBACK_IS or CALLBACK_BAD. */
enum callback_verdict callback_judge_pasted(const struct callback_wanted *want, const char *text, size_t n,
                                            struct callback_values *out);

#endif
