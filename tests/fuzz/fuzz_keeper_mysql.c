/* SPDX-License-Identifier: MIT */
/*
 * A MySQL login that the keeper relays, with a hostile server and a hostile client. The first byte has
 * flags; then steps follow: a byte (bit 7: the client sends, else the server; bits 0-6: how many bytes,
 * 0x7f: up to 4096), and the bytes. TLS starts as soon as it is requested, or (bit 1 of the flags) one step
 * later, so that data can arrive in cleartext before it starts.
 *
 * It checks for every input:
 *
 * - Without TLS, the server gets only the keeper's request for TLS, in which the client chooses
 *   capabilities, packet size and character set. It is sent once, and only if no data of the server is
 *   unread.
 * - Of what the server sends in cleartext, the client gets at most a greeting without its TLS bit, and one
 *   error packet with the keeper's message; data that arrived in cleartext is discarded once TLS has
 *   started.
 * - The server gets at most as many bytes as the client has sent, plus the keeper's request and the password
 *   that it encrypted.
 * - After the end, neither side gets anything more. Bytes that are copied are those that arrived. No buffer
 *   exceeds its maximum.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mysql/login_filter.h>
#include <mysql/packet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUEST (PACKET_HEADER + 32)
#define ERROR_MOST 600

static void check(bool held)
{
    if (!held)
        abort();
}

static const struct login_options options = {.server = "db:3306"};

struct run {
    struct mysql m;
    size_t received, sent; /* by the client, to the server */
    unsigned greetings, errors, requests;
    bool tls, later, over, copies;
};

/* Whether it is a request for TLS, whose fields after the character set are zero. */
static bool request_is_ours(const struct buf *b)
{
    static const uint8_t head[3] = {32, 0, 0};
    static const char nothing[19] = {0};

    return b->len == REQUEST && memcmp(b->data, head, sizeof head) == 0 && b->data[5] & 0x08 &&
           memcmp(b->data + PACKET_HEADER + 9, nothing, sizeof nothing) == 0;
}

/* Before TLS the client gets complete packets: a greeting without TLS, and one error of the keeper. */
static void check_cleartext(struct run *r)
{
    struct buf *out = &r->m.client.out;
    struct packet p;

    while (out->len) {
        check(packet_first(out, PLAIN_PACKET_MAX, &p) == 1 && p.len > 0);
        if (p.body[0] == 0x0a) {
            const uint8_t *nul = memchr(p.body, 0, p.len);
            check(r->greetings++ == 0 && r->errors == 0 && nul && !(nul[15] & 0x08));
        } else {
            check(p.body[0] == 0xff && r->errors++ == 0 && p.len <= ERROR_MOST && r->over);
            size_t text = p.sequence ? 9 : 3;
            unsigned number = (unsigned)p.body[1] | (unsigned)p.body[2] << 8;
            check(number >= 1000 && number <= 9999 && (number < 2000 || number > 2999) && p.len > text);
            for (size_t i = text; i < p.len; i++)
                check(p.body[i] >= ' ' || p.body[i] == '\n');
            if (memcmp(p.body + text, "broker: ", 8) != 0)
                check(memmem(p.body + text, p.len - text, KEEPER_UNVERIFIED, sizeof KEEPER_UNVERIFIED - 1) &&
                      !memchr(p.body + text, '\n', p.len - text));
        }
        packet_drop(out, PACKET_HEADER + p.len);
    }
}

static enum mysql_step make_tls(struct run *r)
{
    struct mysql *m = &r->m;
    bool spoken = m->server.in.len > 0;

    buf_clear(&m->request);
    enum mysql_step step = mysql_tls_made(m);
    check(m->server.in.len == 0 && spoken == (step == MYSQL_OVER));
    check(step == MYSQL_OVER || m->stage == STAGE_LOGIN);
    r->tls = step != MYSQL_OVER;
    r->later = false;
    return step;
}

/* Checks the state and takes the output, as a caller does after each call. */
static void check_step(struct run *r, enum mysql_step step, bool delayed)
{
    struct mysql *m = &r->m;

    check(!r->over || step == MYSQL_OVER);
    check(!r->copies || step == MYSQL_COPY);
    check(m->client.out.len <= LOGIN_OUT_MAX && m->server.out.len <= LOGIN_OUT_MAX);
    check(buf_ok(&m->client.out) || step == MYSQL_OVER || step == MYSQL_COPY);
    check(!m->failed.code || step == MYSQL_OVER);
    check(m->failed.code || step != MYSQL_OVER || r->tls);
    if (step == MYSQL_TLS && !r->later) {
        check(request_is_ours(&m->request) && m->server.in.len == 0 && r->requests++ == 0 && !r->tls);
        r->later = true;
        if (delayed)
            buf_clear(&m->request);
    }
    if (!r->tls)
        check(m->server.out.len == 0 && step != MYSQL_COPY);
    r->over = step == MYSQL_OVER;
    if (!r->tls)
        check_cleartext(r);
    if (step == MYSQL_TLS && !delayed) {
        step = make_tls(r);
        r->over = step == MYSQL_OVER;
        if (r->over)
            check_cleartext(r);
    }
    if (step != MYSQL_TLS)
        check(m->request.len == 0);
    r->sent += m->server.out.len;
    check(r->sent <= r->received + 512);
    buf_clear(&m->server.out);
    buf_clear(&m->client.out);
    r->copies = step == MYSQL_COPY;
    check(!r->over || (m->server.in.len == 0 && m->client.in.len == 0));
}

static void copied(const struct buf *out, const uint8_t *bytes, size_t n)
{
    check(out->len == n && (n == 0 || memcmp(out->data, bytes, n) == 0));
}

static void speak(struct run *r, bool client, const uint8_t *bytes, size_t n, bool delayed)
{
    struct mysql *m = &r->m;
    bool copies = r->copies, over = r->over, later = r->later;
    enum mysql_step step =
        client ? mysql_from_client(m, (const char *)bytes, n) : mysql_from_server(m, (const char *)bytes, n);

    if (client)
        r->received += n;
    if (copies)
        copied(client ? &m->server.out : &m->client.out, bytes, n);
    if (over)
        check(m->client.out.len == 0 && m->server.out.len == 0);
    check_step(r, step, delayed && !later);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.over = false};
    size_t at = 1;

    if (size == 0)
        return 0;
    mysql_init(&r.m, &options);
    while (at < size) {
        bool client = data[at] & 0x80;
        size_t n = (data[at] & 0x7f) == 0x7f ? 4096 : data[at] & 0x7f;
        at++;
        n = n < size - at ? n : size - at;
        speak(&r, client, data + at, n, data[0] & 2);
        at += n;
    }
    mysql_release(&r.m);
    return 0;
}
