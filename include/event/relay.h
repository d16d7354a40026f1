/* SPDX-License-Identifier: MIT */
/* Copies bytes in both directions between two open wires, the client's and the server's, until both have
 * ended. */
#ifndef EVENT_RELAY_H
#define EVENT_RELAY_H

#include <base/buf.h>
#include <event/wire.h>

/* The data from wire[i] to the other wire. */
struct flow {
    struct buf held; /* data that the other side has not taken yet; nothing more is read until it has */
    size_t at;       /* offset of the data in `held` */
    bool ended;      /* end of file was read */
    bool shut;       /* end of file was passed on to the other side */
};

enum { CLIENT, SERVER };

/* A filter for what the client sends, called before it is passed on. Embedded in the filter's own struct. */
struct relay_filter {
    /*
     * Returns how many of the n bytes may be passed on. If it is fewer than n, nothing more is ever passed
     * on: the client gets what was put into *last, and the connection ends. `heard`: the server has sent data
     * since the previous call.
     */
    size_t (*pass)(struct relay_filter *f, const char *bytes, size_t n, bool heard, struct buf *last);
    void (*release)(struct relay_filter *f);
};

struct relay {
    struct wire wire[2]; /* wire[CLIENT] and wire[SERVER] */
    struct flow flow[2];
    bool heard;                     /* the server has sent data; with a filter: since its last call */
    struct relay_filter *filter;    /* owned; NULL: the client's data is passed on unfiltered */
    struct timer more;              /* continues an iteration that reached its limit */
    struct timer over;              /* the server has ended: further data from the client is dropped */
    void (*ended)(struct relay *r); /* called once; may free the relay */
    struct login_proxy *login;      /* the login before bytes are copied; mysql/login_proxy.h */
};

/* Maximal data of one flow that may be waiting before relay_start(). */
#define RELAY_HELD_MAX (5 * 1024 * 1024)

/* Initialises a relay with closed wires. */
void relay_init(struct relay *r);
/* Starts copying. Both wires must be open; flow[i].held may contain data to send first. ended() may be called
 * before relay_start() returns. */
void relay_start(struct relay *r, void (*ended)(struct relay *r));
/* Closes both wires; calls no callback. */
void relay_release(struct relay *r);

#endif
