/* SPDX-License-Identifier: MIT */
/*
 * Calls Vault's HTTP API. Redirects are not followed, because the request contains the token. Temporary
 * errors are retried, as Vault's own CLI does; a retry never starts a login.
 */
#include "call.h"

#include <stdio.h>
#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>
#include <model/address.h>

#include "refusal.h"

#define TRIES 4
#define CALL_MS 30000
#define URL_MOST 65536
#define BODY_MOST (4 * SECRET_MAX)
/* The longest Retry-After in seconds that is waited for. */
#define RETRY_AFTER_MOST 30

/* The indexes of these fields follow those of the caller's fields. */
enum { ERRORS, WARNINGS, RETRY_AFTER, LOCATION };

static int put_body(struct http_request *request, const json_t *body, struct err *e)
{
    AUTO_BUF(text, BODY_MOST);

    json_put(&text, body);
    if (!buf_ok(&text))
        return err_set(e, ERR_DATA, "Vault: the login request has over %d bytes", BODY_MOST);
    http_header(request, "Content-Type", "application/json");
    http_body(request, buf_str(&text), text.len);
    return 0;
}

/* Starts a request with VAULT_TLS_SERVER_NAME as the host in the URL, so that the certificate is verified for
 * it, and connects to the host of vault_addr. */
static void start_as(const struct vault *v, const struct vault_call *c, struct http_request *request,
                     struct buf *url)
{
    const char *authority = strstr(v->addr, "://") + 3, *path = authority + strcspn(authority, "/");
    const char *bracket = *authority == '[' ? strchr(authority, ']') : authority;
    const char *colon = bracket ? memchr(bracket, ':', (size_t)(path - bracket)) : NULL;
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, to);

    host = mem_strndup(authority, (size_t)(path - authority));
    to = colon ? mem_strdup(host) : mem_printf("%s:443", host);
    buf_printf(url, "https://%s%.*s%s/v1/%s", v->tls_name, colon ? (int)(path - colon) : 0,
               colon ? colon : "", path, c->path);
    http_start(request, c->method, buf_str(url));
    http_header(request, "Host", host);
    record_put_str(&request->record, HTTP_TAG_CONNECT_TO, to);
    (void)snprintf(request->host, sizeof request->host, "%s", host);
}

static int start(const struct vault *v, const struct vault_call *c, struct http_request *request,
                 struct err *e)
{
    AUTO_BUF(url, URL_MOST);

    if (v->tls_name && text_starts(v->addr, "https://")) {
        start_as(v, c, request, &url);
    } else {
        buf_printf(&url, "%s/v1/%s", v->addr, c->path);
        http_start(request, c->method, buf_str(&url));
    }
    return buf_ok(&url) ? 0 : err_set(e, ERR_DATA, "Vault: the request has over %d bytes", URL_MOST);
}

/* Returns whether Vault runs on this machine. */
static bool is_here(const struct vault *v)
{
    const char *at = strstr(v->addr, "://") + 3;
    AUTO_FREE(char *, authority);
    AUTO_FREE(char *, host);
    long port;

    authority = mem_strndup(at, strcspn(at, "/"));
    return address_split(authority, &host, &port) && host_is_loopback(host);
}

static int build(const struct vault *v, const struct vault_call *c, struct http_request *request,
                 struct err *e)
{
    if (start(v, c, request, e) < 0)
        return -1;
    http_header(request, "X-Vault-Request", "true");
    if (c->token)
        http_header_secret(request, "X-Vault-Token", c->token);
    if (v->space)
        http_header(request, "X-Vault-Namespace", v->space);
    if (c->body && put_body(request, c->body, e) < 0)
        return -1;
    record_put_str(&request->record, HTTP_TAG_CA_FILE, v->ca);
    record_put_str(&request->record, HTTP_TAG_CERT, v->cert);
    record_put_str(&request->record, HTTP_TAG_KEY, v->key);
    record_put_u64(&request->record, HTTP_TAG_STAYS, 1);
    /* A proxy would get the token in cleartext, and connect to its own machine. */
    if (is_here(v))
        record_put_u64(&request->record, HTTP_TAG_DIRECT, 1);
    record_put_u64(&request->record, HTTP_TAG_CONNECT_TIMEOUT, (uint64_t)v->connect_ms);
    for (size_t i = 0; i < c->want_count; i++)
        (void)http_want(request, HTTP_JSON, c->want[i]);
    if (c->list)
        (void)http_want(request, HTTP_JSON_LIST, c->list);
    (void)http_want(request, HTTP_JSON_LIST, "errors");
    (void)http_want(request, HTTP_JSON_LIST, "warnings");
    (void)http_want(request, HTTP_HEADER, "retry-after");
    (void)http_want(request, HTTP_HEADER, "location");
    return 0;
}

static unsigned own_wants(const struct vault_call *c)
{
    return (unsigned)c->want_count + (c->list != NULL);
}

/* Returns whether a retry may succeed: after 412 (a replica that lags behind), 429, and if Vault is down. Not
 * if Vault is sealed, because an operator must unseal it. `mints`: see vault_call(). */
static bool may_pass(const struct vault_refusal *why, bool mints)
{
    if (why->status == 412 || why->status == 429)
        return true;
    if (why->status == 503)
        return !strstr(why->words, "sealed") && !strstr(why->words, "not initialized");
    return !mints && (why->status == 502 || why->status == 504);
}

static void log_warnings(const char *warnings)
{
    char line[1024];

    vault_words(warnings, line, sizeof line);
    if (*line)
        log_step("vault", "%s", line);
}

/* Sets *wait_ms if Vault requests a delay. Returns false if that is too long to wait for. */
static bool take_delay(const char *retry_after, long *wait_ms, struct err *e)
{
    AUTO_BUF(delay, 64);
    unsigned long seconds;

    if (!text_number(retry_after, INT32_MAX, &seconds) || !seconds)
        return true;
    *wait_ms = (long)seconds * 1000;
    if (seconds <= RETRY_AFTER_MOST)
        return true;
    clock_format_duration(&delay, *wait_ms);
    (void)err_detail(e, "Vault asks for a pause of %s", buf_str(&delay));
    return false;
}

/* Returns 0 on success; 1 on a failure that may be retried, and sets *wait_ms if Vault requests a delay; -1
 * on any other failure. */
static int call_once(const struct vault *v, const struct vault_call *c, bool mints, int64_t deadline,
                     struct http_answer *answer, struct vault_refusal *why, long *wait_ms, struct err *e)
{
    AUTO_HTTP_REQUEST(request);
    unsigned own = own_wants(c);

    *why = (struct vault_refusal){0};
    if (build(v, c, &request, e) < 0)
        return -1;
    log_trace("vault", "%s %.*s", c->method, (int)strcspn(c->path, "?"), c->path);
    if (http_call(&request, answer, clock_deadline(CALL_MS, deadline), e) < 0)
        return vault_explain_silence(v, e);
    log_warnings(http_text(answer, own + WARNINGS));
    if (answer->status >= 200 && answer->status < 300)
        return 0;
    why->status = answer->status;
    vault_words(http_text(answer, own + ERRORS), why->words, sizeof why->words);
    (void)vault_explain(v, why, http_text(answer, own + LOCATION), e);
    if (!may_pass(why, mints))
        return -1;
    return take_delay(http_text(answer, own + RETRY_AFTER), wait_ms, e) ? 1 : -1;
}

int vault_call(const struct vault *v, const struct vault_call *c, bool mints, int64_t deadline,
               struct http_answer *answer, struct vault_refusal *why, struct err *e)
{
    struct tty_wait wait;

    for (unsigned n = 0;; n++) {
        long wait_ms = 250L << n;
        http_answer_release(answer);
        int got = call_once(v, c, mints, deadline, answer, why, &wait_ms, e);
        if (got <= 0)
            return got;
        log_trace("vault", "try %u of %u: %s", n + 1, TRIES, e->msg);
        if (n + 1 >= TRIES || wait_ms >= clock_left(deadline))
            return -1;
        tty_wait_begin(&wait, "Vault to take the request", deadline);
        (void)tty_wait_nap(&wait, wait_ms);
        tty_wait_end(&wait);
        err_clear(e);
    }
}

unsigned long vault_number(const struct http_answer *a, unsigned want, unsigned long absent)
{
    unsigned long n;

    return text_number(http_text(a, want), 1UL << 31, &n) ? n : absent;
}

struct secret *vault_take_field(struct http_answer *a, unsigned want)
{
    struct secret *s = a->field[want];

    if (!s || secret_len(s) == 0)
        return NULL;
    a->field[want] = NULL;
    return s;
}

json_t *vault_json_secret(const struct secret *s)
{
    return json_stringn(secret_bytes(s), secret_len(s));
}
