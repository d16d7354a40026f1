/* SPDX-License-Identifier: MIT */
/*
 * How broker reads an answer of broker-http: the input is the record. An exchange that succeeds has a
 * status; a failed one has a code and a message that ends in NUL; no field lies outside the record.
 *
 * fuzz wrap: helper_call
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <ipc/helper.h>
#include <ipc/http.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_helper_call(struct helper *h, const struct record *request, struct record *answer,
                       int64_t deadline, struct err *e);

static const uint8_t *input;
static size_t input_size;

static void check(bool held)
{
    if (!held)
        abort();
}

/* Like helper_call(), with the input instead of what it would read. */
int __wrap_helper_call(struct helper *h, const struct record *request, struct record *answer,
                       int64_t deadline, struct err *e)
{
    (void)h;
    (void)deadline;
    check(buf_ok(&request->body) && request->kind >= RECORD_FIRST_VERB);
    if (record_parse(input, input_size, answer, e) < 0)
        return -1;
    return answer->kind == RECORD_ERROR ? record_error(answer, e) : 0;
}

static void check_error(const struct err *e)
{
    check(e->code != ERR_NONE && memchr(e->msg, '\0', sizeof e->msg));
}

static void exchange(void)
{
    struct err e = ERR_INIT;
    AUTO_HTTP_REQUEST(request);
    AUTO_HTTP_ANSWER(answer);

    http_start(&request, "GET", "https://user:secret@sts.example.com:443/x");
    check(strcmp(request.host, "sts.example.com:443") == 0);
    for (unsigned i = 0; i < HTTP_WANTS_MAX; i++)
        check(http_want(&request, HTTP_JSON, "a.b") == i);
    if (http_call(&request, &answer, clock_deadline(1000, CLOCK_NEVER), &e) < 0) {
        check_error(&e);
        return;
    }
    check(answer.status > 0);
    for (unsigned i = 0; i < HTTP_WANTS_MAX; i++)
        check(strlen(http_text(&answer, i)) <= (answer.field[i] ? secret_len(answer.field[i]) : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char pem[] = "-----BEGIN EC PRIVATE KEY-----\n";
    unsigned char signature[64], point[64];
    struct err e = ERR_INIT;
    AUTO_SECRET(key);
    char digest[41];

    input = data;
    input_size = size;
    exchange();
    if (http_sha1("x", digest, CLOCK_NEVER, &e) < 0)
        check_error(&e);
    else
        check(strlen(digest) == 40);
    key = secret_from(pem, sizeof pem - 1);
    err_clear(&e);
    if (http_sign_es256(key, "x", signature, point, CLOCK_NEVER, &e) < 0)
        check_error(&e);
    return 0;
}
