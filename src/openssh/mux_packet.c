/* SPDX-License-Identifier: MIT */
/* Builds and parses the packets of OpenSSH's PROTOCOL.mux, version 4. Does no I/O. */
#include "mux.h"

#include <string.h>

#include <base/mem.h>
#include <ssh/wire_format.h>

/* Message numbers of PROTOCOL.mux. */
enum {
    MSG_HELLO = 1,
    C_OPEN_FWD = 0x10000006,
    C_NEW_STDIO_FWD = 0x10000008,
};
#define SAYS_OK 0x80000001u
#define SAYS_DENIED 0x80000002u
#define SAYS_FAILURE 0x80000003u
#define SAYS_ALIVE 0x80000005u
#define SAYS_OPENED 0x80000006u
#define SAYS_PROXY 0x8000000fu
#define VERSION 4
#define FWD_LOCAL 1
#define PORT_STREAMLOCAL 0xfffffffeu /* -2 as port number: the host name is a path */
#define REQUEST_ID 1
#define BODY_MOST 8192
/* Message numbers of SSH, RFC 4253 and RFC 4254. */
enum { SSH_IGNORE = 2, SSH_CHANNEL_OPEN = 90 };
#define UNKNOWN_CHANNEL_TYPE "is-it-there@broker.invalid"
#define PACKET_MOST 32768

static void put_string(struct buf *out, const char *s)
{
    wire_put_string(out, s, strlen(s));
}

static void put_packet(struct buf *out, const struct buf *body)
{
    wire_put_string(out, buf_str(body), body->len);
}

void mux_put_hello(struct buf *out)
{
    AUTO_BUF(body, 16);

    wire_put_u32(&body, MSG_HELLO);
    wire_put_u32(&body, VERSION);
    put_packet(out, &body);
}

static void put_head(struct buf *body, uint32_t type)
{
    wire_put_u32(body, type);
    wire_put_u32(body, REQUEST_ID);
}

void mux_put_stream(struct buf *out, const char *host, unsigned port)
{
    AUTO_BUF(body, BODY_MOST);

    put_head(&body, C_NEW_STDIO_FWD);
    put_string(&body, "");
    put_string(&body, host);
    wire_put_u32(&body, port);
    put_packet(out, &body);
}

void mux_put_forward(struct buf *out, const char *path, const char *there)
{
    AUTO_BUF(body, BODY_MOST);

    put_head(&body, C_OPEN_FWD);
    wire_put_u32(&body, FWD_LOCAL);
    put_string(&body, path);
    wire_put_u32(&body, PORT_STREAMLOCAL);
    put_string(&body, there);
    wire_put_u32(&body, PORT_STREAMLOCAL);
    put_packet(out, &body);
}

void mux_put_bare(struct buf *out, enum mux_bare type)
{
    AUTO_BUF(body, 16);

    put_head(&body, type);
    put_packet(out, &body);
}

/* Appends an SSH packet (RFC 4253 section 6) without MAC and padding, which the master adds. */
static void put_ssh(struct buf *out, unsigned char type, const struct buf *payload)
{
    AUTO_BUF(body, BODY_MOST);

    buf_putc(&body, 0);
    buf_putc(&body, (char)type);
    buf_add(&body, buf_str(payload), payload->len);
    put_packet(out, &body);
}

void mux_put_ignore(struct buf *out)
{
    AUTO_BUF(payload, 16);

    put_string(&payload, "");
    put_ssh(out, SSH_IGNORE, &payload);
}

void mux_put_question(struct buf *out)
{
    AUTO_BUF(payload, 64);

    put_string(&payload, UNKNOWN_CHANNEL_TYPE);
    wire_put_u32(&payload, 0); /* channel number */
    wire_put_u32(&payload, 0); /* window size: the server may not send anything */
    wire_put_u32(&payload, PACKET_MOST);
    put_ssh(out, SSH_CHANNEL_OPEN, &payload);
}

/* Parses the request number and text of a refusal; `at` is after the message type. */
static bool parse_refusal(const unsigned char *at, size_t n, struct mux_reply *out)
{
    const unsigned char *end = at + n, *words;

    if (n < 4)
        return false;
    at += 4;
    if (!wire_string(&at, end, &words, &out->n))
        return false;
    out->says = MUX_REFUSED;
    out->words = (const char *)words;
    return true;
}

long mux_parse(const void *bytes, size_t n, struct mux_reply *out)
{
    const unsigned char *p = bytes;

    *out = (struct mux_reply){.says = MUX_OTHER};
    if (n < 4)
        return 0;
    uint32_t len = wire_u32(p);
    if (len < 4 || len > MUX_PACKET_MOST)
        return -1;
    if (n - 4 < len)
        return 0;
    uint32_t type = wire_u32(p + 4);
    bool sound = true;
    if (type == MSG_HELLO) {
        sound = len >= 8 && wire_u32(p + 8) == VERSION;
        out->says = MUX_HELLO;
    } else if (type == SAYS_OK || type == SAYS_ALIVE || type == SAYS_OPENED || type == SAYS_PROXY) {
        sound = len >= 8;
        out->says = MUX_GRANTED;
    } else if (type == SAYS_DENIED || type == SAYS_FAILURE) {
        sound = parse_refusal(p + 8, len - 4, out);
    }
    return sound ? (long)len + 4 : -1;
}
