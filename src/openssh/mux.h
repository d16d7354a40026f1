/*
 * Speaking with a master of OpenSSH over its control socket (OpenSSH's PROTOCOL.mux, version 4): one
 * connection for each request, as ssh wants it, which lives as long as what was asked for.
 */
#ifndef OPENSSH_MUX_H
#define OPENSSH_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

#define MUX_FDS_MOST 2
#define MUX_PACKET_MOST 65536

/* What a master says; the words point into its packet. */
enum mux_says { MUX_HELLO, MUX_GRANTED, MUX_REFUSED, MUX_OTHER };
struct mux_reply {
    enum mux_says says;
    const char *words; /* why it refuses; not terminated */
    size_t n;
};

/* The first packet of what was read: its whole length, 0: more is needed, -1: no master says such a thing. */
long mux_parse(const void *bytes, size_t n, struct mux_reply *out);

/* Requests, whole packets. */
void mux_put_hello(struct buf *out);
void mux_put_stream(struct buf *out, const char *host, unsigned port);      /* passes a descriptor twice */
void mux_put_forward(struct buf *out, const char *path, const char *there); /* unix sockets, here and there */
void mux_put_alive(struct buf *out); /* whether there is a master at all */
void mux_put_proxy(struct buf *out); /* after MUX_YES packets of SSH may be sent by mux_send() */
void mux_put_end(struct buf *out);
/* Packets of SSH, as a proxy takes them: SSH_MSG_IGNORE, and the opening of a channel that nobody has. */
void mux_put_ignore(struct buf *out);
void mux_put_question(struct buf *out);

enum mux_answer {
    MUX_YES,
    MUX_NO,      /* the master's or the far side's; `words`, safe to show */
    MUX_GONE,    /* there is no master, or it ended before it answered */
    MUX_SILENT,  /* no answer in time */
    MUX_NO_SENSE /* no master says such a thing */
};

struct mux;
struct mux_use {
    /* Once, never before mux_ask() returns. After anything but MUX_YES it is over, and freed. */
    void (*answered)(void *context, enum mux_answer answer, const char *words);
    /* After MUX_YES: a packet has come by a proxy. NULL: none is expected. */
    void (*said)(void *context);
    /* After MUX_YES, once: what was asked for has ended. Freed. */
    void (*ended)(void *context);
};

/*
 * Asks the master behind `path`. `request` is taken over. The descriptors stay the caller's, and have to be
 * open until the answer.
 */
struct mux *mux_ask(const char *path, struct buf *request, const int *fds, unsigned count, int64_t deadline,
                    const struct mux_use *use, void *context);
/* After MUX_YES: sends it now, or never. */
bool mux_send(struct mux *m, const struct buf *packet);
/* No callback any more; what was asked for ends. */
void mux_stop(struct mux *m);

#endif
