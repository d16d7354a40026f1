/* SPDX-License-Identifier: MIT */
/* One channel of a session: a connection from its wait for a slot to its end (channel.c), its bytes (flow.c),
 * its window (windows.c) and how it is opened (open.c). */
#ifndef LIBSSH2_CHANNEL_H
#define LIBSSH2_CHANNEL_H

#include <sys/queue.h>

#include <tunnel/tunnel.h>

#include "session.h"

struct channel {
    TAILQ_ENTRY(channel) next;   /* in the pool's queue */
    struct ssh_session *session; /* NULL: in the queue */
    struct handoff *handoff;     /* NULL: cancelled */
    /* Its open has ended, with success or not: the slot of its session is free. */
    void (*opened)(struct channel *c, const struct err *e);
    LIBSSH2_CHANNEL *ssh;
    struct watch local;
    struct timer patience;    /* deadline of the open; then of its close after the far side's end */
    struct bytes down, up;    /* data not passed on yet */
    uint32_t window, portion; /* the window, and the size of a read: fixed */
    uint32_t granting;        /* read but not granted yet */
    size_t index;
    bool again;    /* to be checked although nothing arrived: more data, or a window to grant */
    bool drives;   /* not a connection, but the session's driver */
    bool tried;    /* its session was lost while opening it: not tried a third time */
    bool readable; /* the client has sent data */
    bool paused;   /* and is not read, because the far side takes no more now */
    bool heard;    /* the far side has sent data */
    bool local_address, end_sent, far_end, closing;
};

/* The work of one iteration for a session that is up. Returns -1 if the session has failed. */
int channels_turn(struct ssh_session *s);
/* Ends the client's side at once; the far side is closed and the struct freed later. */
void channel_end(struct channel *c);
/* Ends all channels of an ended session, except the one being opened. */
void channels_end(struct ssh_session *s);
/* What one may send and is sent: flow.c. -1: the session has failed. */
int channel_deliver(struct ssh_session *s, struct channel *c);
int channel_take(struct ssh_session *s, struct channel *c);
bool channel_may_send(struct ssh_session *s, const struct channel *c);
/* Whether the windows of all channels leave room for one more. */
bool channel_has_room(const struct ssh_session *s);
/* `large`: how many channels of all sessions have a large one. */
void channel_set_window(struct channel *c, size_t large);
/* How much must have been read before it is granted again. If all data was taken, the far side may be waiting
 * for a grant; if there is more than we can take, more grants only cost time. */
uint32_t channel_step(const struct ssh_session *s, const struct channel *c);
/* How many bytes libssh2 may hold for its client; exact for a large window. */
size_t channel_queued(const struct channel *c);
/* The number of its channels with a large window. */
size_t channel_large(const struct ssh_session *s);
/* Stops reading its client for now. */
void channel_pause(struct channel *c);
/* Watches the client's side. */
void channel_watch(struct channel *c);

/* --- open.c --- */

/* Starts opening c on s, whose slot is free; `large` as for channel_set_window(). -1: the session has failed.
 */
int open_start(struct ssh_session *s, struct channel *c, size_t large);
/* Continues opening a channel, if one is being opened. */
int open_step(struct ssh_session *s);

#endif
