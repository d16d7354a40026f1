/* SPDX-License-Identifier: MIT */
/*
 * Calls an AWS API. Each attempt gets a new signature, because a signature contains the time. An error that a
 * retry would not change is not retried.
 */
#include "call.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include <aws/sigv4.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

#define ATTEMPTS 3
#define ATTEMPTS_MOST 20
#define BACK_OFF_MOST_MS 20000
#define ATTEMPT_MS 60000
#define CONNECT_MS 10000
/* AWS accepts signatures that are up to five minutes old, so a smaller clock error does not matter. */
#define SKEW_SECONDS 240

/* The fields in which AWS services report errors. They follow the caller's own fields. */
static const struct aws_want error_wants[] = {
    {HTTP_XML, "ErrorResponse/Error/Code"},
    {HTTP_XML, "ErrorResponse/Error/Message"},
    {HTTP_XML, "ErrorResponse/Errors/Error/Code"},
    {HTTP_XML, "ErrorResponse/Errors/Error/Message"},
    {HTTP_HEADER, "x-amzn-errortype"},
    {HTTP_JSON, "__type"},
    {HTTP_JSON, "error"},
    {HTTP_JSON, "message"},
    {HTTP_JSON, "Message"},
    {HTTP_JSON, "error_description"},
    {HTTP_HEADER, "date"},
};
enum {
    ERROR_CODE,
    ERROR_TEXT,
    ERROR_CODE_2,
    ERROR_TEXT_2,
    ERROR_TYPE,
    ERROR_JSON_TYPE,
    ERROR_NAME,
    ERROR_MESSAGE,
    ERROR_MESSAGE_2,
    ERROR_DESCRIPTION,
    ERROR_DATE
};

bool aws_time_parse(const char *s, time_t *out)
{
    return clock_parse_utc(s, out);
}

/* --- one request */

static const char *setting(const struct aws_context *c, const char *variable, const char *key)
{
    const struct aws_property *p = aws_files_property(&c->files, AWS_PROFILE, c->chain.profile, key);

    return variable ? variable : p && *p->value ? p->value : NULL;
}

static int sign(const struct aws_call *c, const char *host, const char *path, struct http_request *request,
                struct err *e)
{
    const struct sigv4_field header[] = {{"Host", host}, {"Content-Type", c->content_type}};
    const struct sigv4_request r = {.method = c->method,
                                    .path = path,
                                    .header = header,
                                    .header_count = c->content_type ? 2 : 1,
                                    .body = c->body ? buf_str(c->body) : NULL,
                                    .body_len = c->body ? c->body->len : 0,
                                    .region = c->endpoint->region,
                                    .service = c->endpoint->service,
                                    .now = time(NULL)};
    AUTO_BUF(authorization, 8192);
    char date[17];

    if (sigv4_authorization(&r, c->keys, &authorization, e) < 0)
        return -1;
    sigv4_date(r.now, date);
    http_header(request, "X-Amz-Date", date);
    if (c->keys->token)
        http_header_secret(request, "X-Amz-Security-Token", c->keys->token);
    http_header(request, "Authorization", buf_str(&authorization));
    return 0;
}

static int build(const struct aws_call *c, struct http_request *request, struct err *e)
{
    const char *ca = setting(c->context, c->context->env.ca_bundle, "ca_bundle");
    const char *authority = strstr(c->endpoint->url, "://") + 3, *slash = strchr(authority, '/');
    AUTO_FREE(char *, url);
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, ca_path);

    url = mem_printf("%s%s", c->endpoint->url, c->path);
    host = mem_strndup(authority, strcspn(authority, "/?#"));
    path = mem_printf("%s%s", slash ? slash : "", c->path);
    http_start(request, c->method, url);
    http_header(request, "Host", host);
    if (c->content_type)
        http_header(request, "Content-Type", c->content_type);
    if (c->header)
        http_header_secret(request, c->header, c->header_value);
    if (c->keys && sign(c, host, path, request, e) < 0)
        return -1;
    if (c->body)
        http_body(request, buf_str(c->body), c->body->len);
    if (ca) {
        ca_path = path_expand(ca);
        record_put_str(&request->record, HTTP_TAG_CA_FILE, ca_path);
    }
    record_put_u64(&request->record, HTTP_TAG_CONNECT_TIMEOUT, CONNECT_MS);
    for (size_t i = 0; i < c->want_count; i++)
        (void)http_want(request, c->want[i].kind, c->want[i].path);
    for (size_t i = 0; i < ARRAY_LEN(error_wants); i++)
        (void)http_want(request, error_wants[i].kind, error_wants[i].path);
    return 0;
}

/* --- error responses */

static void take_text(char *out, size_t size, const char *s)
{
    AUTO_BUF(clean, 8192);

    text_sanitise(&clean, s, strnlen(s, 2000));
    (void)snprintf(out, size, "%s", buf_str(&clean));
}

/* Extracts Code from "namespace#Code:http://...". */
static void take_code(struct aws_refusal *why, const char *s)
{
    const char *hash = strchr(s, '#');

    s = hash ? hash + 1 : s;
    take_text(why->code, sizeof why->code, s);
    why->code[strcspn(why->code, ":")] = '\0';
}

static void read_refusal(const struct http_answer *a, unsigned first, struct aws_refusal *why)
{
    static const unsigned codes[] = {ERROR_CODE, ERROR_CODE_2, ERROR_TYPE, ERROR_JSON_TYPE, ERROR_NAME};
    static const unsigned texts[] = {ERROR_TEXT, ERROR_TEXT_2, ERROR_MESSAGE, ERROR_MESSAGE_2,
                                     ERROR_DESCRIPTION};

    why->status = a->status;
    for (size_t i = 0; i < ARRAY_LEN(codes) && !why->code[0]; i++)
        take_code(why, http_text(a, first + codes[i]));
    for (size_t i = 0; i < ARRAY_LEN(texts) && !why->message[0]; i++)
        take_text(why->message, sizeof why->message, http_text(a, first + texts[i]));
}

static bool is_throttled(const struct aws_refusal *why)
{
    return why->status == 429 || text_starts(why->code, "Throttl") ||
           text_equal(why->code, "RequestLimitExceeded") ||
           text_equal(why->code, "TooManyRequestsException") || text_equal(why->code, "RequestThrottled") ||
           text_equal(why->code, "RequestThrottledException") ||
           text_equal(why->code, "BandwidthLimitExceeded") || text_equal(why->code, "SlowDown") ||
           text_equal(why->code, "PriorRequestNotComplete") ||
           text_equal(why->code, "TransactionInProgressException");
}

static bool is_down(const struct aws_refusal *why)
{
    return why->status == 500 || why->status == 502 || why->status == 503 || why->status == 504 ||
           text_equal(why->code, "RequestTimeout") || text_equal(why->code, "RequestTimeoutException");
}

/* Returns the seconds by which our clock is behind the service's; 0 if unknown or too small to matter. */
static long long skew(const char *date)
{
    struct tm tm = {0};
    const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    long long behind = end && !*end ? (long long)timegm(&tm) - (long long)time(NULL) : 0;

    return llabs(behind) >= SKEW_SECONDS ? behind : 0;
}

static bool blames_the_clock(const struct aws_refusal *why)
{
    static const char *const codes[] = {
        "RequestExpired",        "RequestTimeTooSkewed",      "RequestInTheFuture",
        "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (text_equal(why->code, codes[i]))
            return true;
    }
    return strstr(why->message, "Signature expired") || strstr(why->message, "Signature not yet current");
}

static int say_clock(const struct aws_call *c, const struct aws_refusal *why, long long behind, struct err *e)
{
    AUTO_BUF(by, 64);

    clock_format_duration(&by, (int64_t)llabs(behind) * 1000);
    (void)err_set(e, ERR_REFUSED, "%s: this machine's clock is %s %s", c->name, buf_str(&by),
                  behind > 0 ? "behind" : "ahead");
    (void)err_detail(e, "%s: %s", why->code, why->message);
    return err_hint(e, "set the clock: timedatectl set-ntp true");
}

static int say_refusal(const struct aws_call *c, const struct aws_refusal *why, const char *date,
                       struct err *e)
{
    long long behind = skew(date);
    char status[32];

    if (why->status >= 300 && why->status < 400)
        return err_set(e, ERR_PROTOCOL, "%s: %s answered with a redirect (HTTP %u), which is not followed",
                       c->name, c->endpoint->url, why->status);
    if (behind && blames_the_clock(why))
        return say_clock(c, why, behind, e);
    (void)snprintf(status, sizeof status, "HTTP %u", why->status);
    bool later = is_throttled(why) || is_down(why);
    (void)err_set(e, later ? ERR_TRY_LATER : ERR_REFUSED, "%s: %s%s%s", c->name,
                  why->code[0] ? why->code : status, why->message[0] ? ": " : "", why->message);
    return later ? err_hint(e, "try again in a minute") : -1;
}

static int say_unreachable(struct err *e)
{
    if (strstr(e->msg, "certificate"))
        return err_hint(e, "set AWS_CA_BUNDLE to a PEM file with the CA certificate of your proxy");
    if (e->code == ERR_UNREACHABLE)
        return err_hint(e,
                        "check the network, and HTTPS_PROXY, NO_PROXY and AWS_ENDPOINT_URL if they are set");
    return -1;
}

/* --- retries */

/* Returns 0 on success, 1 on a failure that may be retried, -1 on any other failure. */
static int call_once(const struct aws_call *c, int64_t deadline, struct http_answer *answer,
                     struct aws_refusal *why, struct err *e)
{
    AUTO_HTTP_REQUEST(request);

    *why = (struct aws_refusal){0};
    if (build(c, &request, e) < 0)
        return -1;
    if (http_call(&request, answer, clock_deadline(ATTEMPT_MS, deadline), e) < 0) {
        (void)say_unreachable(e);
        return answer->transient ? 1 : -1;
    }
    if (answer->status >= 200 && answer->status < 300)
        return 0;
    read_refusal(answer, (unsigned)c->want_count, why);
    (void)say_refusal(c, why, http_text(answer, (unsigned)c->want_count + ERROR_DATE), e);
    return is_throttled(why) || is_down(why) || (c->retry_code && text_equal(why->code, c->retry_code)) ? 1
                                                                                                        : -1;
}

static unsigned attempts(const struct aws_context *c)
{
    const char *value = setting(c, c->env.max_attempts, "max_attempts");
    unsigned long n;

    return value && text_number(value, ATTEMPTS_MOST, &n) && n > 0 ? (unsigned)n : ATTEMPTS;
}

/* Sleeps for a random part of 2^n seconds, at most 20. Returns false at once if the sleep would end after the
 * deadline. */
static bool back_off(unsigned n, int64_t deadline)
{
    unsigned most = n < 5 ? 1000U << n : BACK_OFF_MOST_MS;
    int ms = (int)randombytes_uniform(most < BACK_OFF_MOST_MS ? most : BACK_OFF_MOST_MS);

    if (ms >= clock_left(deadline))
        return false;
    (void)poll(NULL, 0, ms);
    return true;
}

int aws_call_run(const struct aws_call *c, int64_t deadline, struct http_answer *answer,
                 struct aws_refusal *why, struct err *e)
{
    unsigned most = attempts(c->context);

    for (unsigned n = 0;; n++) {
        http_answer_release(answer);
        int got = call_once(c, deadline, answer, why, e);
        if (got <= 0)
            return got;
        log_trace("aws", "try %u of %u: %s", n + 1, most, e->msg);
        if (n + 1 >= most || !back_off(n, deadline))
            return -1;
        err_clear(e);
    }
}

/* --- keys */

static struct secret *take_field(struct http_answer *a, int i)
{
    struct secret *s = i < 0 ? NULL : a->field[i];

    if (s)
        a->field[i] = NULL;
    if (s && secret_len(s) > 0)
        return s;
    secret_free(s);
    return NULL;
}

int aws_keys_take(struct http_answer *a, const struct aws_keys_fields *at, const char *who,
                  struct aws_keys *out, struct err *e)
{
    const char *id = http_text(a, (unsigned)at->id);
    const char *expiration = at->expiration < 0 ? "" : http_text(a, (unsigned)at->expiration);

    out->secret = take_field(a, at->secret);
    out->token = take_field(a, at->token);
    if (!*id || strlen(id) > 1024 || !out->secret)
        return err_set(e, ERR_PROTOCOL, "%s: the answer has no keys", who);
    if (*expiration && !aws_time_parse(expiration, &out->expires_at))
        return err_set(e, ERR_PROTOCOL, "%s: the answer's Expiration is not a time", who);
    out->id = mem_strdup(id);
    return 0;
}
