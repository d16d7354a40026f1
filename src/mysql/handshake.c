/* SPDX-License-Identifier: MIT */
/* Parses the greeting and the answer; each read is bounded by the packet. */
#include "handshake.h"

#include <string.h>

#include "login_packet.h"

/* Offsets from the lower capabilities of a greeting (see login_packet.c). */
enum { HIGH_AT = 5, SCRAMBLE_SIZE_AT = 7, EXTENDED_AT = 14, SECOND_AT = 18, FIRST_BEFORE = 9 };
#define FIRST_LEN 8
#define SECOND_LEN (SCRAMBLE_LEN - FIRST_LEN)
/* Offsets from the beginning of an answer. */
enum { MAX_PACKET_AT = 4, CHARSET_AT = 8, OWN_AT = 28, USER_AT = 32 };

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_u32(struct buf *out, uint32_t n)
{
    const uint8_t bytes[] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};

    buf_add(out, bytes, sizeof bytes);
}

bool greeting_read(const struct packet *p, struct greeting *g)
{
    size_t at = said_greeting(p), name = at + SECOND_AT + SECOND_LEN + 1;
    const uint8_t *low = p->body + at;

    *g = (struct greeting){0};
    if (!at || at + SECOND_AT + SECOND_LEN > p->len)
        return false;
    g->flags = (uint32_t)low[0] | (uint32_t)low[1] << 8 | (uint32_t)low[HIGH_AT] << 16 |
               (uint32_t)low[HIGH_AT + 1] << 24;
    if (!(g->flags & CLIENT_PROTOCOL_41) || !(g->flags & CLIENT_SECURE_CONNECTION))
        return false;
    if (!(g->flags & CLIENT_MYSQL))
        g->extended = u32(low + EXTENDED_AT);
    memcpy(g->scramble, low - FIRST_BEFORE, FIRST_LEN);
    memcpy(g->scramble + FIRST_LEN, low + SECOND_AT, SECOND_LEN);
    if (!(g->flags & CLIENT_PLUGIN_AUTH))
        return true;
    if (low[SCRAMBLE_SIZE_AT] > SCRAMBLE_LEN + 1)
        name = at + SECOND_AT + low[SCRAMBLE_SIZE_AT] - FIRST_LEN;
    if (name < p->len) {
        size_t n = strnlen((const char *)p->body + name, p->len - name);
        memcpy(g->plugin, p->body + name, n < PLUGIN_NAME_MAX ? n : PLUGIN_NAME_MAX);
    }
    return true;
}

void greeting_put(struct buf *out, const struct packet *p, const uint8_t scramble[SCRAMBLE_LEN],
                  const char *plugin)
{
    size_t at = said_greeting(p), start = out->len;
    bool names = p->body[at + HIGH_AT] & (CLIENT_PLUGIN_AUTH >> 16);

    buf_add(out, p->body, at + SECOND_AT);
    buf_add(out, scramble + FIRST_LEN, SECOND_LEN);
    buf_putc(out, '\0');
    if (names)
        buf_add(out, plugin, strlen(plugin) + 1);
    if (!buf_ok(out))
        return;
    uint8_t *low = (uint8_t *)out->data + start + at;
    memcpy(low - FIRST_BEFORE, scramble, FIRST_LEN);
    low[1] &= (uint8_t) ~(CLIENT_SSL >> 8);
    if (names)
        low[SCRAMBLE_SIZE_AT] = SCRAMBLE_LEN + 1;
}

/* Takes n bytes. Returns false if there are fewer. */
static bool take(struct span *from, size_t n, struct span *out)
{
    if (n > from->n)
        return false;
    *out = (struct span){from->at, n};
    from->at += n;
    from->n -= n;
    return true;
}

static bool take_string(struct span *from, struct span *out)
{
    const uint8_t *nul = from->n ? memchr(from->at, '\0', from->n) : NULL;
    struct span end;

    return nul && take(from, (size_t)(nul - from->at), out) && take(from, 1, &end);
}

/* Takes a string with a one-byte length. */
static bool take_short(struct span *from, struct span *out)
{
    struct span size;

    return take(from, 1, &size) && take(from, size.at[0], out);
}

bool lenenc_take(struct span *from, struct span *out)
{
    struct span first, size;
    size_t n = 0;

    if (!take(from, 1, &first) || first.at[0] == 0xfb || first.at[0] == 0xff)
        return false;
    if (first.at[0] < 0xfb)
        return take(from, first.at[0], out);
    if (!take(from, first.at[0] == 0xfc ? 2 : first.at[0] == 0xfd ? 3 : 8, &size))
        return false;
    for (size_t i = size.n; i > 0; i--)
        n = n << 8 | size.at[i - 1];
    return take(from, n, out);
}

void lenenc_put(struct buf *out, const void *bytes, size_t n)
{
    if (n < 0xfb) {
        buf_putc(out, (char)n);
    } else {
        buf_putc(out, (char)(n > 0xffff ? 0xfd : 0xfc));
        buf_putc(out, (char)n);
        buf_putc(out, (char)(n >> 8));
        if (n > 0xffff)
            buf_putc(out, (char)(n >> 16));
    }
    buf_add(out, bytes, n);
}

static bool take_auth(struct span *from, struct answer *a)
{
    if (a->flags & CLIENT_LENENC_AUTH)
        return lenenc_take(from, &a->auth);
    return a->flags & CLIENT_SECURE_CONNECTION ? take_short(from, &a->auth) : take_string(from, &a->auth);
}

static bool attributes_are_whole(struct span pairs)
{
    struct span word;

    if (pairs.n > ATTRIBUTES_MAX)
        return false;
    while (pairs.n) {
        if (!lenenc_take(&pairs, &word) || !lenenc_take(&pairs, &word))
            return false;
    }
    return true;
}

bool answer_read(const uint8_t *body, size_t n, struct answer *a)
{
    struct span rest = {body, n}, head, level;

    *a = (struct answer){0};
    if (!take(&rest, USER_AT, &head))
        return false;
    a->flags = u32(body);
    a->max_packet = u32(body + MAX_PACKET_AT);
    a->charset = body[CHARSET_AT];
    if (!(a->flags & CLIENT_MYSQL))
        a->extended = u32(body + OWN_AT);
    if (!take_string(&rest, &a->user) || !take_auth(&rest, a))
        return false;
    if (a->flags & CLIENT_CONNECT_WITH_DB && !take_string(&rest, &a->database))
        return false;
    if (a->flags & CLIENT_PLUGIN_AUTH && !take_string(&rest, &a->plugin))
        return false;
    if (a->flags & CLIENT_CONNECT_ATTRS &&
        (!lenenc_take(&rest, &a->attributes) || !attributes_are_whole(a->attributes)))
        return false;
    if (a->flags & CLIENT_ZSTD) {
        if (!take(&rest, 1, &level))
            return false;
        a->zstd_level = level.at[0];
    }
    return true;
}

static void put_string(struct buf *out, struct span text)
{
    buf_add(out, text.at, text.n);
    buf_putc(out, '\0');
}

void answer_put(struct buf *out, const struct answer *a)
{
    static const char reserved[OWN_AT - CHARSET_AT - 1];

    put_u32(out, a->flags);
    put_u32(out, a->max_packet);
    buf_putc(out, (char)a->charset);
    buf_add(out, reserved, sizeof reserved);
    put_u32(out, a->extended);
    put_string(out, a->user);
    if (a->flags & CLIENT_LENENC_AUTH) {
        lenenc_put(out, a->auth.at, a->auth.n);
    } else {
        buf_putc(out, (char)a->auth.n);
        buf_add(out, a->auth.at, a->auth.n);
    }
    if (a->flags & CLIENT_CONNECT_WITH_DB)
        put_string(out, a->database);
    if (a->flags & CLIENT_PLUGIN_AUTH)
        put_string(out, a->plugin);
    if (a->flags & CLIENT_CONNECT_ATTRS)
        lenenc_put(out, a->attributes.at, a->attributes.n);
    if (a->flags & CLIENT_ZSTD)
        buf_putc(out, (char)a->zstd_level);
}

void attributes_copy(struct buf *out, struct span pairs, const char *prefix)
{
    struct span name, value;
    size_t n = strlen(prefix);

    while (pairs.n && lenenc_take(&pairs, &name) && lenenc_take(&pairs, &value)) {
        if (name.n >= n && memcmp(name.at, prefix, n) == 0)
            continue;
        lenenc_put(out, name.at, name.n);
        lenenc_put(out, value.at, value.n);
    }
}
