/* SPDX-License-Identifier: MIT */
/* One channel of a session: a connection from the time it waits for a slot until it ends (channel.c), its
 * bytes (flow.c), its window (windows.c) and how it is opened (open.c). */
#ifndef LIBSSH2_CHANNEL_H
#define LIBSSH2_CHANNEL_H

#include <sys/queue.h>

#include <tunnel/tunnel.h>

#include "session.h"

struct channel {
    TAILQ_ENTRY(channel) next;   /* next in the pool's queue */
    struct ssh_session *session; /* NULL: still in the queue */
    struct handoff *handoff;     /* NULL: the connection was cancelled */
    /* Called when opening the channel has succeeded or failed: its session can open the next one. */
    void (*opened)(struct channel *c, const struct err *e);
    LIBSSH2_CHANNEL *ssh;
    struct watch local;
    struct timer patience;    /* deadline for opening; later for closing after the server's end */
    struct bytes down, up;    /* data that is not passed on yet */
    uint32_t window, portion; /* the window, and the size of a read; both are fixed */
    uint32_t granting;        /* bytes that were read but not granted yet */
    size_t index;
    bool again;    /* check it although nothing arrived: there may be more data, or a window to grant */
    bool drives;   /* not a connection, but the channel with which the session reads */
    bool tried;    /* a session was lost while opening it, so the next try is the last */
    bool readable; /* the client has sent data */
    bool paused;   /* the client is not read, because the server takes no more now */
    bool heard;    /* the server has sent data */
    bool client_eof, eof_sent, server_eof, closing;
};

/* Does the work of one iteration of the event loop for a session that is up. Returns -1 if the session
 * failed. */
int channels_turn(struct ssh_session *s);
/* Closes the client's side at once; the SSH channel is closed and the struct freed later. */
void channel_end(struct channel *c);
/* Ends all channels of an ended session, except the one that is being opened. */
void channels_end(struct ssh_session *s);
/* Copy data to the client, and from the client (flow.c). They return -1 if the session failed. */
int channel_deliver(struct ssh_session *s, struct channel *c);
int channel_take(struct ssh_session *s, struct channel *c);
bool channel_may_send(struct ssh_session *s, const struct channel *c);
/* Returns whether the windows of all channels leave room for one more. */
bool channel_has_room(const struct ssh_session *s);
/* Sets the size of the window. `large` is the number of channels of all sessions that have a large one. */
void channel_set_window(struct channel *c, size_t large);
/* Returns the number of bytes that must be read before they are granted again. If all data was taken, the
 * server may be waiting for a grant; if there is more than the client can take, more grants only cost
 * time. */
uint32_t channel_step(const struct ssh_session *s, const struct channel *c);
/* Returns how many bytes libssh2 may store for the channel's client; exact for a large window. */
size_t channel_queued(const struct channel *c);
/* Returns the number of channels of the session that have a large window. */
size_t channel_large(const struct ssh_session *s);
/* Stops reading from the client for now. */
void channel_pause(struct channel *c);
/* Starts watching the client's socket. */
void channel_watch(struct channel *c);

/* --- open.c --- */

/* Starts opening channel `c` in session `s`, which must have a free slot; `large` as for
 * channel_set_window(). Returns -1 if the session failed. */
int open_start(struct ssh_session *s, struct channel *c, size_t large);
/* Continues opening a channel, if one is being opened. Returns -1 if the session failed. */
int open_step(struct ssh_session *s);

#endif
