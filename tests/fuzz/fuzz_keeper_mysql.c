/*
 * A MySQL log-in seen through, with a hostile server and a hostile client. The first byte chooses the end's
 * kind; then steps: a byte (bit 7: who speaks; bits 0-6: how many bytes, 0x7f: 4096 of them, as far as there
 * are any), the bytes. TLS is made whenever it is asked for.
 *
 * Held: what goes to the server never exceeds what the client has said by more than our request for TLS and
 * the password that it encrypted; nothing goes to the server before TLS is made but that request; once it is
 * over the client gets one error packet and nobody anything more; bytes copied are those that came; no buffer
 * grows past its bound.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <keeper/keeper.h>
#include <keeper/mysql.h>
#include <keeper/packet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define SSL_REQUEST (PACKET_HEADER + 32)

static void check(bool held)
{
    if (!held)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static char host[] = "db";

    (void)argc;
    (void)argv;
    opt.host = host;
    opt.port = 3306;
    return 0;
}

struct run {
    struct mysql m;
    size_t said, sent; /* by the client, to the server */
    bool over, copies;
};

/* What a caller does after each call. */
static void look(struct run *r, enum mysql_step step)
{
    struct mysql *m = &r->m;

    check(!r->over || step == MYSQL_OVER);
    check(!r->copies || step == MYSQL_COPY);
    check(m->client.out.len <= LOGIN_OUT_MAX && m->server.out.len <= LOGIN_OUT_MAX);
    check(buf_ok(&m->client.out) || step == MYSQL_OVER || step == MYSQL_COPY);
    check((step == MYSQL_OVER) == (m->failed.code != ERR_NONE));
    check(m->kind == KEEPER_END_TLS || step != MYSQL_TLS);
    if (step == MYSQL_TLS) {
        check(m->server.out.len == SSL_REQUEST && m->server.out.data[5] & 0x08);
        buf_clear(&m->server.out);
        step = mysql_tls_made(m);
        check(step == MYSQL_WAIT || step == MYSQL_COPY || step == MYSQL_OVER);
        check(m->server.out.len >= SSL_REQUEST && m->server.out.data[5] & 0x08);
    }
    r->sent += m->server.out.len;
    check(r->sent <= r->said + 512);
    if (m->server.out.data)
        buf_clear(&m->server.out);
    if (step == MYSQL_OVER && !r->over)
        check(m->client.out.len > 0 || !buf_ok(&m->client.out));
    buf_clear(&m->client.out);
    r->over = step == MYSQL_OVER;
    r->copies = step == MYSQL_COPY;
}

static void copied(const struct buf *out, const uint8_t *bytes, size_t n)
{
    check(out->len == n && (n == 0 || memcmp(out->data, bytes, n) == 0));
}

static void speak(struct run *r, bool client, const uint8_t *bytes, size_t n)
{
    struct mysql *m = &r->m;
    bool copies = r->copies, over = r->over;
    enum mysql_step step =
        client ? mysql_from_client(m, (const char *)bytes, n) : mysql_from_server(m, (const char *)bytes, n);

    if (client)
        r->said += n;
    if (copies)
        copied(client ? &m->server.out : &m->client.out, bytes, n);
    if (over)
        check(m->client.out.len == 0 && m->server.out.len == 0);
    look(r, step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.over = false};
    size_t at = 1;

    if (size == 0)
        return 0;
    mysql_init(&r.m, data[0] & 1 ? KEEPER_END_GUARDED : KEEPER_END_TLS);
    while (at < size) {
        bool client = data[at] & 0x80;
        size_t n = (data[at] & 0x7f) == 0x7f ? 4096 : data[at] & 0x7f;
        at++;
        n = n < size - at ? n : size - at;
        speak(&r, client, data + at, n);
        at += n;
    }
    mysql_release(&r.m);
    return 0;
}
