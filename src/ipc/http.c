/* SPDX-License-Identifier: MIT */
/* broker's side of the HTTP helper. Requests are built directly in a record, to avoid another copy of the
 * secrets. */
#include <ipc/http.h>

#include <stdio.h>
#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <ipc/helper.h>

#include "http_helper.h"

/* The helper's own time limit ends this much earlier, so that its error message arrives. It is less than half
 * a second because the waiting message shows rounded seconds. */
#define HTTP_GRACE_MS 400

/*
 * libcurl links GnuTLS, for protocols that the helper does not use. Its initialisation before main() would
 * take 0.3 ms; with this variable it is done by gnutls_global_init(), which libcurl calls if it uses GnuTLS
 * for TLS.
 */
struct helper http_helper = {.name = "broker-http", .sets = "GNUTLS_NO_IMPLICIT_INIT", .to = -1, .from = -1};

void http_request_release(struct http_request *r)
{
    record_release(&r->record);
}

void http_answer_release(struct http_answer *a)
{
    for (size_t i = 0; i < HTTP_WANTS_MAX; i++)
        secret_free(a->field[i]);
    *a = (struct http_answer){0};
}

void http_start(struct http_request *r, const char *method, const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    size_t n = strcspn(host, "/?#");
    /* The text before an @ may contain a password. */
    for (const char *at; (at = memchr(host, '@', n)); host = at + 1)
        n -= (size_t)(at + 1 - host);
    (void)snprintf(r->host, sizeof r->host, "%.*s", (int)n, host);
    r->record.kind = HTTP_VERB_REQUEST;
    record_put_str(&r->record, HTTP_TAG_METHOD, method);
    record_put_str(&r->record, HTTP_TAG_URL, url);
}

void http_header(struct http_request *r, const char *name, const char *value)
{
    AUTO_BUF(line, 65536);

    buf_printf(&line, "%s: %s", name, value);
    record_put(&r->record, HTTP_TAG_HEADER, buf_str(&line), line.len);
}

void http_header_secret(struct http_request *r, const char *name, const struct secret *value)
{
    http_header(r, name, secret_bytes(value));
}

void http_body(struct http_request *r, const void *bytes, size_t n)
{
    record_put(&r->record, HTTP_TAG_BODY, bytes, n);
}

unsigned http_want(struct http_request *r, enum http_want kind, const char *path)
{
    AUTO_BUF(want, 1024);

    buf_putc(&want, (char)kind);
    buf_puts(&want, path);
    record_put(&r->record, HTTP_TAG_WANT, buf_str(&want), want.len);
    return r->wants++;
}

static int take_fields(const struct record *record, struct http_answer *a, struct err *e)
{
    struct field f;
    size_t offset = 0;
    int more;

    while ((more = record_next(record, &offset, &f, e)) > 0) {
        unsigned i = f.tag == HTTP_TAG_FIELD && f.len ? (unsigned char)f.bytes[0] : HTTP_WANTS_MAX;
        if (i < HTTP_WANTS_MAX && !a->field[i])
            a->field[i] = secret_from(f.bytes + 1, f.len - 1);
    }
    return more;
}

int http_call(const struct http_request *r, struct http_answer *answer, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(reply);
    AUTO_FREE(char *, failed);
    struct field f;

    if (!buf_ok(&r->record.body) || r->wants > HTTP_WANTS_MAX)
        return err_set(e, ERR_DATA, "%s: the request is too large", r->host);
    request.kind = r->record.kind;
    buf_add(&request.body, buf_str(&r->record.body), r->record.body.len);
    record_put_u64(&request, HTTP_TAG_TIMEOUT, (uint64_t)clock_left(deadline));
    http_helper.waiting_for = r->host;
    log_trace("http", "%s", r->host);
    if (helper_call(&http_helper, &request, &reply, clock_later(deadline, HTTP_GRACE_MS), e) < 0)
        return -1;
    answer->status = (unsigned)record_u64(&reply, HTTP_TAG_STATUS, 0);
    answer->transient = record_find(&reply, HTTP_TAG_TRANSIENT, &f);
    failed = record_str(&reply, HTTP_TAG_FAILED);
    if (failed || !answer->status)
        return err_set(e, record_find(&reply, HTTP_TAG_BROKEN, &f) ? ERR_PROTOCOL : ERR_UNREACHABLE, "%s: %s",
                       r->host, failed ? failed : "no answer");
    log_trace("http", "%s: HTTP %u", r->host, answer->status);
    return take_fields(&reply, answer, e);
}

const char *http_text(const struct http_answer *a, unsigned want)
{
    return a->field[want] ? secret_bytes(a->field[want]) : "";
}

int http_sign_es256(const struct secret *pem, const char *text, unsigned char signature[64],
                    unsigned char point[64], int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(reply);
    struct field signed_bytes, key;

    request.kind = HTTP_VERB_SIGN;
    record_put_secret(&request, HTTP_TAG_PEM, pem);
    record_put_str(&request, HTTP_TAG_BYTES, text);
    if (helper_call(&http_helper, &request, &reply, deadline, e) < 0)
        return -1;
    if (!record_find(&reply, HTTP_TAG_BYTES, &signed_bytes) || signed_bytes.len != 64 ||
        !record_find(&reply, HTTP_TAG_POINT, &key) || key.len != 64)
        return err_set(e, ERR_PROTOCOL, "broker-http: no signature");
    memcpy(signature, signed_bytes.bytes, 64);
    memcpy(point, key.bytes, 64);
    return 0;
}

int http_sha1(const char *text, char out[41], int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(reply);
    struct field digest;

    request.kind = HTTP_VERB_SHA1;
    record_put_str(&request, HTTP_TAG_BYTES, text);
    if (helper_call(&http_helper, &request, &reply, deadline, e) < 0)
        return -1;
    if (!record_find(&reply, HTTP_TAG_BYTES, &digest) || digest.len != 20)
        return err_set(e, ERR_PROTOCOL, "broker-http: no digest");
    for (size_t i = 0; i < digest.len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", (unsigned char)digest.bytes[i]);
    return 0;
}

static int ask_bytes(const struct record *request, struct buf *out, int64_t deadline, struct err *e)
{
    AUTO_RECORD(reply);
    struct field bytes;

    if (!buf_ok(&request->body))
        return err_set(e, ERR_DATA, "too large");
    if (helper_call(&http_helper, request, &reply, deadline, e) < 0)
        return -1;
    if (!record_find(&reply, HTTP_TAG_BYTES, &bytes))
        return err_set(e, ERR_PROTOCOL, "broker-http: no answer");
    buf_add(out, bytes.bytes, bytes.len);
    return buf_ok(out) ? 0 : err_set(e, ERR_DATA, "too large");
}

int http_xml(const struct buf *xml, struct buf *json, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);

    request.kind = HTTP_VERB_XML;
    record_put(&request, HTTP_TAG_BYTES, buf_str(xml), xml->len);
    return ask_bytes(&request, json, deadline, e);
}

int http_decrypt(const void *key, const void *iv, const void *bytes, size_t n, struct buf *out,
                 int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);

    request.kind = HTTP_VERB_DECRYPT;
    record_put(&request, HTTP_TAG_SECRET_KEY, key, 16);
    if (iv)
        record_put(&request, HTTP_TAG_IV, iv, 16);
    record_put(&request, HTTP_TAG_BYTES, bytes, n);
    return ask_bytes(&request, out, deadline, e);
}
