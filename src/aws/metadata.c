/* SPDX-License-Identifier: MIT */
/* Code shared by the container and the instance metadata services. */
#include "metadata.h"

#include <string.h>
#include <time.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#include "call.h"

enum { WANT_ID, WANT_SECRET, WANT_TOKEN, WANT_EXPIRATION, WANT_CODE, WANT_ACCOUNT, WANT_MESSAGE };

void metadata_start(struct http_request *r, const char *method, const char *url, long ms)
{
    http_start(r, method, url);
    record_put_u64(&r->record, HTTP_TAG_DIRECT, 1);
    record_put_u64(&r->record, HTTP_TAG_CONNECT_TIMEOUT, (uint64_t)ms);
}

void metadata_want_keys(struct http_request *r)
{
    static const char *const fields[] = {[WANT_ID] = "AccessKeyId", [WANT_SECRET] = "SecretAccessKey",
                                         [WANT_TOKEN] = "Token",    [WANT_EXPIRATION] = "Expiration",
                                         [WANT_CODE] = "Code",      [WANT_ACCOUNT] = "AccountId",
                                         [WANT_MESSAGE] = "Message"};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        (void)http_want(r, HTTP_JSON, fields[i]);
}

const char *metadata_code(const struct http_answer *a)
{
    return http_text(a, WANT_CODE);
}

const char *metadata_message(const struct http_answer *a)
{
    return http_text(a, WANT_MESSAGE);
}

int metadata_take_keys(struct http_answer *a, const char *who, struct aws_keys *out, struct err *e)
{
    static const struct aws_keys_fields at = {WANT_ID, WANT_SECRET, WANT_TOKEN, WANT_EXPIRATION};
    const char *code = http_text(a, WANT_CODE), *account = http_text(a, WANT_ACCOUNT);

    if (*code && !text_equal(code, "Success")) {
        AUTO_BUF(clean, 1024);
        text_sanitise(&clean, code, strnlen(code, 128));
        buf_puts(&clean, ": ");
        text_sanitise(&clean, http_text(a, WANT_MESSAGE), strnlen(http_text(a, WANT_MESSAGE), 512));
        return err_set(e, ERR_REFUSED, "%s: %s", who, buf_str(&clean));
    }
    if (aws_keys_take(a, &at, who, out, e) < 0)
        return -1;
    out->account = *account ? mem_strdup(account) : NULL;
    /* If AWS cannot renew the keys, the service returns expired ones, which AWS then accepts for longer. */
    if (out->expires_at && out->expires_at <= time(NULL)) {
        log_step("login", "%s returned expired keys, as it does while AWS cannot renew them", who);
        out->expires_at = 0;
    }
    return 0;
}

bool metadata_is_sendable(const char *value)
{
    return *value && !value[strcspn(value, "\r\n")];
}
