/* SPDX-License-Identifier: MIT */
/*
 * The keeper logs in (mysql/login_inject.h), with a hostile server and a hostile client. The first byte has
 * the TLS level (bits 0-2), and whether the client must prove that it has the password of the run (3), the
 * endpoint is the server's own socket (4), the server's RSA key may be requested (5), TLS takes one step
 * more (6). Then steps follow: a byte, and the bytes that it announces.
 *
 * - Bits 7-6 say who sends: 0 the server, 1 the client, 2 the server in a packet with the right sequence
 *   number, 3 an event that this program makes.
 * - Bits 5-0 are the number of bytes (0x3f: 4096), or the event: 0-7 a server's greeting with that plug-in
 *   and flags, 8-11 a client's answer, 12 a retry with another credential, 13 and 14 an error that is sent
 *   to the client, 15 the end of the wait for TLS.
 *
 * It checks for every input:
 *
 * - The server's password is never sent in cleartext, and through TLS only if the level allows the method.
 *   Without TLS, unless an unencrypted login is allowed, the server gets only one request for TLS. The
 *   password of the run is never sent to the server.
 * - Until the client has proved what it must, the server gets nothing, and the client gets no OK.
 * - The client gets at most one greeting, and nothing after the end; its packets are complete and in order.
 * - After the login, the bytes that are copied are those that arrived.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <mysql/handshake.h>
#include <mysql/login_filter.h>
#include <mysql/login_inject.h>
#include <mysql/packet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CANARY "canary-of-the-server"
#define RUN_PASSWORD "password-of-the-run"
#define REQUEST (PACKET_HEADER + SSL_REQUEST)

static void check(bool held)
{
    if (!held)
        abort();
}

struct run {
    struct mysql m;
    struct login_options options;
    struct tls_options tls_options;
    struct secret *run_password;
    bool tls, requested, later, over, copies, greeted;
    uint8_t next; /* the client's next sequence number */
};

static const char *const searched[] = {CANARY, RUN_PASSWORD, "abcdefgh", "ijklmnopqrst"};

static void no_canary(const struct buf *b)
{
    check(!b->len || !memmem(b->data, b->len, CANARY, sizeof CANARY - 1));
}

/* The client gets complete packets, at most one greeting, and an OK only after it has proved the password. */
static void check_to_client(struct run *r)
{
    struct buf *out = &r->m.client.out;
    struct packet p;

    no_canary(out);
    while (out->len && !r->copies) {
        check(packet_first(out, LOGIN_PACKET_MAX, &p) == 1);
        bool greets = p.len > 0 && p.body[0] == 0x0a;
        check(!greets || !r->greeted);
        if (greets) {
            size_t at = said_greeting(&p);
            check(p.sequence == 0 && at > 0 && !(p.body[at + 1] & (CLIENT_SSL >> 8)));
            check(!memmem(p.body, p.len, "abcdefgh", 8) && !memmem(p.body, p.len, "ijklmnopqrst", 12));
        }
        r->greeted = r->greeted || greets;
        if (p.len > 0 && (p.body[0] == IS_OK || p.body[0] == MORE_DATA))
            check(mysql_proved(&r->m));
        bool is_ok = p.len > 0 && p.body[0] == IS_OK;
        packet_drop(out, PACKET_HEADER + p.len);
        if (is_ok)
            break; /* what the server sends after its OK is copied, and need not be a packet */
    }
    buf_clear(out);
}

static void check_to_server(struct run *r)
{
    struct mysql *m = &r->m;
    bool open = r->tls || m->without_tls;

    check(m->without_tls ? r->options.own_socket || r->tls_options.level <= KEEPER_TLS_OFFERED : true);
    check(open || m->server.out.len == 0);
    check(mysql_proved(m) || (m->server.out.len == 0 && m->request.len == 0));
    no_canary(&m->request);
    check(m->request.len == 0 || m->request.len == REQUEST);
    if (!r->copies && !r->options.own_socket && !r->tls)
        no_canary(&m->server.out);
    /* Through TLS the password is sent by a method that allows it. */
    if (!r->copies && memmem(buf_str(&m->server.out), m->server.out.len, CANARY, sizeof CANARY - 1)) {
        check(m->stage == STAGE_LAST && m->inject->auth.closed);
        check(!m->inject->method || m->inject->method->over == OVER_ANYTHING || m->inject->auth.verified);
        check(m->inject->auth.verified == (r->options.own_socket || r->tls_options.level == KEEPER_TLS_NAME));
    }
    if (!r->copies)
        check(!memmem(buf_str(&m->server.out), m->server.out.len, RUN_PASSWORD, sizeof RUN_PASSWORD - 1));
}

static enum mysql_step make_tls(struct run *r)
{
    bool spoken = r->m.server.in.len > 0;

    buf_clear(&r->m.request);
    enum mysql_step step = mysql_tls_made(&r->m);
    check(!spoken || step == MYSQL_OVER);
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
    check(!m->failed.code || step == MYSQL_OVER);
    check_to_server(r);
    if (step == MYSQL_TLS) {
        check(!m->without_tls && mysql_proved(m));
        if (!delayed)
            step = make_tls(r);
        check_to_server(r);
    }
    check(step != MYSQL_COPY || (mysql_proved(m) && (r->tls || m->without_tls)));
    if (step == MYSQL_REFUSED)
        r->tls = false;
    r->over = step == MYSQL_OVER;
    if (r->over)
        check(m->server.out.len == 0 && m->request.len == 0 && m->server.in.len == 0 &&
              m->client.in.len == 0);
    check_to_client(r);
    r->copies = step == MYSQL_COPY;
    buf_clear(&m->server.out);
}

static void greeting_make(struct buf *out, uint8_t how)
{
    static const char *const plugins[] = {"mysql_native_password", "caching_sha2_password", "sha256_password",
                                          "mysql_clear_password"};
    const uint8_t after[] = {
        0xff, (uint8_t)(how & 4 ? 0xff : 0xf7), 45, 2, 0, 0xff, 0xdf, 21, 0, 0, 0, 0, 0, 0, 0x1d, 0, 0, 0};
    AUTO_BUF(body, 256);

    buf_add(&body,
            "\x0a"
            "8.0.36",
            8);
    buf_add(&body, "\x07\0\0\0abcdefgh", 13);
    buf_add(&body, after, sizeof after);
    buf_add(&body, "ijklmnopqrst", 13);
    buf_add(&body, plugins[how & 3], strlen(plugins[how & 3]) + 1);
    packet_put(out, 0, body.data, body.len);
}

/* The answer of a client with the run's password; with bit 1 it has no proof, so that the keeper must ask. */
static void answer_make(struct run *r, struct buf *out, uint8_t how)
{
    const char *plugin = how & 1 ? "mysql_native_password" : "caching_sha2_password";
    struct auth a = {.password = r->run_password ? r->run_password : r->m.inject->as->password};
    struct answer answer = {.flags = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH |
                                     CLIENT_CONNECT_ATTRS | CLIENT_LENENC_AUTH,
                            .user = {(const uint8_t *)"me", 2},
                            .plugin = {(const uint8_t *)plugin, strlen(plugin)}};
    struct err e = ERR_INIT;
    AUTO_BUF(auth, 64);
    AUTO_BUF(body, 1024);

    memcpy(a.scramble, r->m.inject->scramble, SCRAMBLE_LEN);
    (void)auth_find(plugin)->answer(&a, &auth, &e);
    if (r->m.stage == STAGE_PROOF) {
        packet_put(out, (uint8_t)(r->m.next - 1), auth.data, auth.len);
        return;
    }
    if (!(how & 2))
        answer.auth = (struct span){(const uint8_t *)auth.data, auth.len};
    answer_put(&body, &answer);
    packet_put(out, 1, body.data, body.len);
}

static void retry(struct run *r)
{
    struct login_credential *as =
        login_credential_new(mem_strdup("app2"), secret_from(CANARY, sizeof CANARY - 1));

    check_step(r, mysql_retry(&r->m, as), false);
    login_credential_drop(as);
}

static void give(struct run *r, bool client, const char *bytes, size_t n, bool delayed)
{
    bool copies = r->copies;
    enum mysql_step step = client ? mysql_from_client(&r->m, bytes, n) : mysql_from_server(&r->m, bytes, n);
    struct buf *out = client ? &r->m.server.out : &r->m.client.out;

    if (copies)
        check(out->len == n && (n == 0 || memcmp(out->data, bytes, n) == 0));
    check_step(r, step, delayed);
}

static void make_event(struct run *r, uint8_t which)
{
    struct err e = ERR_INIT;
    AUTO_BUF(b, 8192);

    if (which < 8)
        greeting_make(&b, which);
    else if (which < 12)
        answer_make(r, &b, which);
    if (b.len)
        give(r, which >= 8, b.data, b.len, false);
    else if (which == 12)
        retry(r);
    else if (which == 13)
        check_step(r, mysql_tell(&r->m, NULL), false);
    else if (err_set(&e, ERR_LOGIN, "log in") < 0 && which == 14)
        check_step(r, mysql_tell(&r->m, &e), false);
    else if (r->m.stage == STAGE_TLS)
        check_step(r, make_tls(r), false);
}

static void begin(struct run *r, uint8_t how)
{
    struct login_credential *as =
        login_credential_new(mem_strdup("app"), secret_from(CANARY, sizeof CANARY - 1));

    r->tls_options.level = (enum keeper_tls)((how & 7) % (KEEPER_TLS_NAME + 1));
    r->options = (struct login_options){.server = "db:3306",
                                        .tls = &r->tls_options,
                                        .profile = "prod",
                                        .own_socket = how & 16,
                                        .server_public_key = how & 32};
    r->run_password = how & 8 ? secret_from(RUN_PASSWORD, sizeof RUN_PASSWORD - 1) : NULL;
    mysql_init(&r->m, &r->options);
    mysql_inject(&r->m, as, r->run_password);
    login_credential_drop(as);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {.over = false};
    size_t at = 1;

    /* The fuzzer learns these texts from memmem(); an input with one proves nothing: it may be echoed. */
    for (size_t i = 0; i < sizeof searched / sizeof *searched; i++)
        if (memmem(data, size, searched[i], strlen(searched[i])))
            return 0;
    if (size == 0)
        return 0;
    begin(&r, data[0]);
    while (at < size) {
        uint8_t kind = data[at] >> 6, of = data[at] & 0x3f;
        at++;
        if (kind == 3) {
            make_event(&r, of & 15);
            continue;
        }
        size_t n = of == 0x3f ? 4096 : of;
        n = n < size - at ? n : size - at;
        AUTO_BUF(b, 8192);
        if (kind == 2)
            packet_put(&b, r.m.inject->expects, data + at, n);
        else
            buf_add(&b, data + at, n);
        give(&r, kind == 1, buf_str(&b), b.len, data[0] & 64);
        at += n;
    }
    mysql_release(&r.m);
    secret_free(r.run_password);
    return 0;
}
