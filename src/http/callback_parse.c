/* SPDX-License-Identifier: MIT */
/*
 * Any local user and any web page open in a browser can send requests to a local port. So a request is
 * accepted as the callback only if its Host header has our address (against DNS rebinding), its path is
 * exactly the expected one, and its state is the one that Vault created for this login.
 */
#include "callback_parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <base/text.h>

static void callback_values_clear(struct callback_values *v)
{
    buf_clear(&v->code);
    buf_clear(&v->id_token);
    buf_clear(&v->error);
    buf_clear(&v->description);
}

void callback_values_release(struct callback_values *v)
{
    buf_release(&v->code);
    buf_release(&v->id_token);
    buf_release(&v->error);
    buf_release(&v->description);
}

/* The maximum number of header lines; browsers send fewer. */
#define FIELDS_MOST 100

struct span {
    const char *at;
    size_t n;
};

static bool span_is(struct span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

static bool span_is_nocase(struct span s, const char *text)
{
    return s.n == strlen(text) && strncasecmp(s.at, text, s.n) == 0;
}

/* Removes the text before the first `end` from *rest and returns it; the whole rest if there is no `end`. */
static struct span cut(struct span *rest, char end)
{
    const char *at = rest->n ? memchr(rest->at, end, rest->n) : NULL;
    struct span first = {rest->at, at ? (size_t)(at - rest->at) : rest->n};
    size_t taken = first.n + (at != NULL);

    rest->at += taken;
    rest->n -= taken;
    return first;
}

/* --- parameters */

/* Compares in constant time, so that the time does not tell how many characters of a guessed state are
 * right. */
static bool is_same(const struct buf *got, const char *wanted)
{
    size_t n = strlen(wanted);
    unsigned char differs = 0;

    if (got->len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)(buf_str(got)[i] ^ wanted[i]);
    return differs == 0;
}

/* Decodes a form value: a plus is a space, other characters are percent-encoded. Returns false for a control
 * character, an invalid escape, or if `out` is full. */
static bool decode(struct span s, struct buf *out)
{
    AUTO_BUF(plain, CALLBACK_BODY_MAX);

    for (size_t i = 0; i < s.n; i++) {
        if (s.at[i] >= 0 && s.at[i] < ' ')
            return false;
        buf_putc(&plain, s.at[i] == '+' ? ' ' : s.at[i]);
    }
    buf_clear(out);
    return buf_ok(&plain) && text_percent_decode(out, buf_str(&plain), plain.len) && buf_ok(out);
}

/* Reads the parameters. A duplicate is an error; a form may have an ID token instead of a code. Other
 * parameters that providers send (iss, session_state, scope) are ignored. */
static enum callback_verdict read_values(struct span query, const char *state, bool is_form,
                                         struct callback_values *out)
{
    AUTO_BUF(theirs, 4096);
    const struct {
        const char *name;
        struct buf *to;
    } known[] = {{"state", &theirs},
                 {"code", &out->code},
                 {"id_token", &out->id_token},
                 {"error", &out->error},
                 {"error_description", &out->description}};
    bool seen[sizeof known / sizeof known[0]] = {false};

    callback_values_clear(out);
    while (query.n) {
        struct span value = cut(&query, '&'), name = cut(&value, '=');
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (!span_is(name, known[i].name))
                continue;
            if (seen[i] || !decode(value, known[i].to))
                return CALLBACK_BAD;
            seen[i] = true;
        }
    }
    bool has_proof = out->code.len > 0 || (is_form && out->id_token.len > 0);
    return state && is_same(&theirs, state) && has_proof != (out->error.len > 0) ? CALLBACK_IS : CALLBACK_BAD;
}

static enum callback_verdict judge_values(struct span query, const char *state, bool is_form,
                                          struct callback_values *out)
{
    enum callback_verdict verdict = read_values(query, state, is_form, out);

    if (verdict != CALLBACK_IS)
        callback_values_clear(out);
    return verdict;
}

/* --- the request line and headers */

struct head {
    struct span method, target;
    bool is_ours; /* Host has our address */
    bool is_form; /* Content-Type is that of a form */
    bool is_odd;  /* a duplicate or invalid Content-Length, or a Transfer-Encoding */
    bool has_length;
    unsigned long length;
};

static bool is_our_host(struct span value, unsigned port)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    char text[64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(text, sizeof text, "%s:%u", names[i], port);
        if (span_is_nocase(value, text))
            return true;
        /* Browsers omit the default port. */
        if (port == 80 && span_is_nocase(value, names[i]))
            return true;
    }
    return false;
}

static struct span trim(struct span s)
{
    while (s.n && (*s.at == ' ' || *s.at == '\t'))
        s = (struct span){s.at + 1, s.n - 1};
    while (s.n && (s.at[s.n - 1] == ' ' || s.at[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static void take_length(struct span value, struct head *h)
{
    char text[16];

    h->is_odd |= h->has_length || value.n >= sizeof text;
    if (h->is_odd)
        return;
    (void)snprintf(text, sizeof text, "%.*s", (int)value.n, value.at);
    h->has_length = true;
    h->is_odd = !text_number(text, 1UL << 30, &h->length);
}

static void take_field(struct span name, struct span value, unsigned port, struct head *h, unsigned *hosts)
{
    if (span_is_nocase(name, "host")) {
        h->is_ours = is_our_host(value, port);
        (*hosts)++;
    } else if (span_is_nocase(name, "content-length")) {
        take_length(value, h);
    } else if (span_is_nocase(name, "transfer-encoding")) {
        h->is_odd = true;
    } else if (span_is_nocase(name, "content-type")) {
        h->is_form = span_is_nocase(trim(cut(&value, ';')), "application/x-www-form-urlencoded");
    }
}

/* Returns false if the text is not an HTTP/1 request. */
static bool read_head(struct span text, unsigned port, struct head *h)
{
    struct span line = cut(&text, '\n');
    unsigned hosts = 0, fields = 0;

    *h = (struct head){0};
    if (!line.n || line.at[line.n - 1] != '\r')
        return false;
    line.n--;
    h->method = cut(&line, ' ');
    h->target = cut(&line, ' ');
    if (!h->method.n || !h->target.n || *h->target.at != '/' ||
        !(span_is(line, "HTTP/1.1") || span_is(line, "HTTP/1.0")))
        return false;
    while (text.n) {
        line = cut(&text, '\n');
        if (!line.n || line.at[line.n - 1] != '\r')
            return false;
        line.n--;
        if (!line.n)
            break;
        if (++fields > FIELDS_MOST || !memchr(line.at, ':', line.n))
            return false;
        struct span name = cut(&line, ':');
        take_field(name, trim(line), port, h, &hosts);
    }
    h->is_ours &= hosts == 1;
    return true;
}

/* --- verdicts */

static enum callback_verdict judge_form(const struct callback_wanted *want, const struct head *h,
                                        struct span body, struct callback_values *out)
{
    if (!h->is_form || !h->has_length || h->length > CALLBACK_BODY_MAX)
        return CALLBACK_NO_BODY;
    if (body.n < h->length)
        return CALLBACK_MORE;
    body.n = h->length;
    return judge_values(body, want->state, true, out);
}

static enum callback_verdict judge_whole(const struct callback_wanted *want, const struct head *h,
                                         struct span body, struct callback_values *out)
{
    struct span query = h->target, path = cut(&query, '?');
    bool is_get = span_is(h->method, "GET");

    if (!h->is_ours || h->is_odd)
        return CALLBACK_BAD;
    if (span_is(path, CALLBACK_DONE_PATH))
        return is_get ? CALLBACK_PAGE : CALLBACK_NO_METHOD;
    if (!span_is(path, want->path))
        return CALLBACK_NO_PATH;
    if (want->form)
        return span_is(h->method, "POST") ? judge_form(want, h, body, out) : CALLBACK_NO_METHOD;
    return is_get ? judge_values(query, want->state, false, out) : CALLBACK_NO_METHOD;
}

enum callback_verdict callback_judge(const struct callback_wanted *want, const char *bytes, size_t n,
                                     struct callback_values *out)
{
    size_t look = n < CALLBACK_HEAD_MAX ? n : CALLBACK_HEAD_MAX;
    const char *end = memmem(bytes, look, "\r\n\r\n", 4);
    struct head head;

    if (!end)
        return n >= CALLBACK_HEAD_MAX ? CALLBACK_LONG : CALLBACK_MORE;
    size_t head_n = (size_t)(end - bytes) + 4;
    if (memchr(bytes, '\0', head_n) || !read_head((struct span){bytes, head_n}, want->port, &head))
        return CALLBACK_BAD;
    return judge_whole(want, &head, (struct span){bytes + head_n, n - head_n}, out);
}

enum callback_verdict callback_judge_pasted(const struct callback_wanted *want, const char *text, size_t n,
                                            struct callback_values *out)
{
    struct span all = trim((struct span){text, n});
    size_t base = strlen(want->base);

    if (want->form || all.n <= base || memcmp(all.at, want->base, base) != 0 || all.at[base] != '?')
        return CALLBACK_BAD;
    all = (struct span){all.at + base + 1, all.n - base - 1};
    return judge_values(cut(&all, '#'), want->state, false, out);
}
