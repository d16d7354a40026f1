/* SPDX-License-Identifier: MIT */
/*
 * Requests to the callback listener of a login, which any local user can send, and URLs that the user
 * pastes. The first byte of the input selects one of the two, whether a form is expected, and whether the
 * callback has arrived already. A request is accepted only with the expected Host, path and state, and with
 * either a code or an error; a request that is not accepted leaves no values. Unless the whole request is
 * too long, a shorter part of it is incomplete, malformed, or has the same result as the whole.
 *
 * fuzz link: src/http/callback_parse.c src/http/callback_page.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <http/callback_page.h>
#include <http/callback_parse.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static bool contains(const char *text, size_t n, const char *part)
{
    return memmem(text, n, part, strlen(part)) != NULL;
}

static void check_taken(const struct callback_wanted *want, const char *text, size_t n,
                        const struct callback_values *v, bool pasted)
{
    bool has_proof = v->code.len > 0 || (want->form && v->id_token.len > 0);

    check(want->state && has_proof != (v->error.len > 0));
    check(contains(text, n, pasted ? want->base : want->path) && contains(text, n, "state="));
    check(buf_ok(&v->code) && buf_ok(&v->id_token) && buf_ok(&v->error) && buf_ok(&v->description));
    check(!memchr(buf_str(&v->code), '\0', v->code.len));
}

static void check_empty(const struct callback_values *v)
{
    check(!v->code.len && !v->id_token.len && !v->error.len && !v->description.len);
}

static void check_page(unsigned status)
{
    AUTO_BUF(page, 8192);

    callback_page(status, true, &page);
    check(buf_ok(&page) && strncmp(buf_str(&page), "HTTP/1.1 ", 9) == 0);
    check(strstr(buf_str(&page), "\r\n\r\n") && !strstr(buf_str(&page), "<script"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct callback_values values = CALLBACK_VALUES_INIT, again = CALLBACK_VALUES_INIT;
    struct callback_wanted want = {.base = "http://localhost:8250/oidc/callback",
                                   .path = "/oidc/callback",
                                   .port = 8250,
                                   .state = "st_a"};
    if (size < 1)
        return 0;
    const char *text = (const char *)data + 1;
    size_t n = size - 1;
    bool pasted = data[0] & 1;
    want.form = data[0] & 2;
    want.state = data[0] & 4 ? NULL : "st_a";

    enum callback_verdict verdict =
        pasted ? callback_judge_pasted(&want, text, n, &values) : callback_judge(&want, text, n, &values);
    if (verdict == CALLBACK_IS)
        check_taken(&want, text, n, &values, pasted);
    else
        check_empty(&values);
    if (verdict != CALLBACK_MORE)
        check_page(verdict);
    check(!pasted || verdict == CALLBACK_IS || verdict == CALLBACK_BAD);
    for (size_t cut = 1; !pasted && n > cut && cut < 64; cut *= 2) {
        enum callback_verdict before = callback_judge(&want, text, n - cut, &again);
        check(before == CALLBACK_MORE || before == verdict || verdict == CALLBACK_LONG);
    }
    callback_values_release(&values);
    callback_values_release(&again);
    return 0;
}
