/* SPDX-License-Identifier: MIT */
/*
 * A client for an OpenSSH master's control socket (OpenSSH's PROTOCOL.mux, version 4): one connection per
 * request, as ssh requires, which lives as long as the requested stream.
 */
#ifndef OPENSSH_MUX_H
#define OPENSSH_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

#define MUX_FDS_MOST 2
#define MUX_PACKET_MOST 65536

/* A master's answer; the text points into its packet. */
enum mux_says { MUX_HELLO, MUX_GRANTED, MUX_REFUSED, MUX_OTHER };
struct mux_reply {
    enum mux_says says;
    const char *words; /* why it refuses; not terminated */
    size_t n;
};

/* Parses the first packet: its length, 0: more data is needed, -1: invalid. */
long mux_parse(const void *bytes, size_t n, struct mux_reply *out);

/* Builds requests as whole packets. */
void mux_put_hello(struct buf *out);
void mux_put_stream(struct buf *out, const char *host, unsigned port);      /* passes a descriptor twice */
void mux_put_forward(struct buf *out, const char *path, const char *there); /* unix sockets, here and there */
enum mux_bare {
    MUX_ALIVE = 0x10000004, /* checks whether there is a master */
    MUX_END = 0x10000005,
    MUX_PROXY = 0x1000000f, /* after MUX_YES packets of SSH may be sent by mux_send() */
};
void mux_put_bare(struct buf *out, enum mux_bare type);
/* SSH packets in proxy mode: SSH_MSG_IGNORE, and the opening of a channel of an unknown type. */
void mux_put_ignore(struct buf *out);
void mux_put_question(struct buf *out);

enum mux_answer {
    MUX_YES,
    MUX_NO,      /* refused by the master or the far side; `words` is sanitised */
    MUX_GONE,    /* there is no master, or it ended before it answered */
    MUX_SILENT,  /* no answer in time */
    MUX_NO_SENSE /* invalid answer */
};

struct mux;
struct mux_use {
    /* Called once, never before mux_ask() returns. After anything but MUX_YES the request has ended and is
     * freed. */
    void (*answered)(void *context, enum mux_answer answer, const char *words);
    /* After MUX_YES: a packet arrived in proxy mode. NULL: none is expected. */
    void (*heard)(void *context);
    /* After MUX_YES, called once: the stream has ended. The request is freed. */
    void (*ended)(void *context);
};

/*
 * Sends a request to the master at `path`. Takes ownership of `request`. The caller keeps the descriptors,
 * which must stay open until the answer.
 */
struct mux *mux_ask(const char *path, struct buf *request, const int *fds, unsigned count, int64_t deadline,
                    const struct mux_use *use, void *context);
/* After MUX_YES: sends it now, or drops it. */
bool mux_send(struct mux *m, const struct buf *packet);
/* Calls no callback any more; the stream ends. */
void mux_stop(struct mux *m);

#endif
