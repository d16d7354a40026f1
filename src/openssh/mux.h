/* SPDX-License-Identifier: MIT */
/*
 * A client for the control socket of an OpenSSH master (OpenSSH's PROTOCOL.mux, version 4). As ssh requires,
 * each request has its own connection, which lives as long as the requested stream.
 */
#ifndef OPENSSH_MUX_H
#define OPENSSH_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

#define MUX_FDS_MOST 2
#define MUX_PACKET_MOST 65536

/* An answer of the master; its text points into the packet. */
enum mux_says { MUX_HELLO, MUX_GRANTED, MUX_REFUSED, MUX_OTHER };
struct mux_reply {
    enum mux_says says;
    const char *words; /* why the request was refused; not NUL-terminated */
    size_t n;
};

/* Parses the first packet. Returns its length, 0 if more data is needed, -1 if it is invalid. */
long mux_parse(const void *bytes, size_t n, struct mux_reply *out);

/* Append requests as whole packets. */
void mux_put_hello(struct buf *out);
void mux_put_stream(struct buf *out, const char *host, unsigned port);      /* passes a descriptor twice */
void mux_put_forward(struct buf *out, const char *path, const char *there); /* unix sockets here and there */
enum mux_bare {
    MUX_ALIVE = 0x10000004, /* checks whether a master is running */
    MUX_END = 0x10000005,
    MUX_PROXY = 0x1000000f, /* after MUX_YES, SSH packets may be sent with mux_send() */
};
void mux_put_bare(struct buf *out, enum mux_bare type);
/* Append SSH packets for proxy mode: SSH_MSG_IGNORE, and a request to open a channel of an unknown type. */
void mux_put_ignore(struct buf *out);
void mux_put_question(struct buf *out);

enum mux_answer {
    MUX_YES,
    MUX_NO,      /* refused by the master or the SSH server; `words` is the sanitised reason */
    MUX_GONE,    /* there is no master, or it ended before it answered */
    MUX_SILENT,  /* the master did not answer in time */
    MUX_NO_SENSE /* the master's answer is invalid */
};

struct mux;
struct mux_use {
    /* Called once, never before mux_ask() returns. After any answer but MUX_YES the request has ended and is
     * freed. */
    void (*answered)(void *context, enum mux_answer answer, const char *words);
    /* After MUX_YES: a packet arrived in proxy mode. NULL: no packets are expected. */
    void (*heard)(void *context);
    /* Called once after MUX_YES, when the stream has ended. The request is then freed. */
    void (*ended)(void *context);
};

/*
 * Sends a request to the master at `path`. Takes ownership of `request`. The caller keeps ownership of the
 * descriptors, which must stay open until the answer.
 */
struct mux *mux_ask(const char *path, struct buf *request, const int *fds, unsigned count, int64_t deadline,
                    const struct mux_use *use, void *context);
/* After MUX_YES: sends a packet now, or drops it. */
bool mux_send(struct mux *m, const struct buf *packet);
/* Ends the stream; no callback is called any more. */
void mux_stop(struct mux *m);

#endif
