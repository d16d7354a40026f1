/* SPDX-License-Identifier: MIT */
/*
 * One SSH session of the libssh2 engine (see ssh/ssh.h): its bytes (io.c), its limits (bounds.c), and
 * information that libssh2 does not report (greeting.c, peek.c). libssh2 never uses the socket itself: it
 * reads from and writes to our buffers, so none of its calls blocks and no packet is ever sent partially.
 */
#ifndef LIBSSH2_SESSION_H
#define LIBSSH2_SESSION_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <event/dial.h>
#include <event/loop.h>
#include <ssh/ssh.h>

/* Buffered bytes: ciphertext, or data that a client has not taken yet. */
struct bytes {
    char *at;
    size_t start, end, size;
};

enum session_state {
    SESSION_DIALLING,
    SESSION_HANDSHAKE,
    SESSION_LOGIN,
    SESSION_UP,
    SESSION_ENDED, /* freed at the end of the iteration of the event loop */
};

struct channel;
struct credentials;
struct ssh_login;
struct ssh_session;

#define YOUNG_MOST 64
#define BANNER_MOST 4096

/* Callbacks of a session to its pool. */
struct session_events {
    void (*up)(struct ssh_session *s);
    void (*ended)(struct ssh_session *s, const struct err *e,
                  const char *cannot);             /* either `e` or `cannot` is NULL */
    bool (*is_spare)(const struct ssh_session *s); /* the session is not needed any more */
    void (*look)(void);                            /* called from time to time */
};

struct ssh_session {
    struct ssh_session *next;
    const struct ssh_settings *settings;
    const struct session_events *events;
    struct credentials *credentials; /* what has worked for a login, shared by all sessions of the engine */
    struct buf *host_key;            /* the key that was accepted for this host; empty before that */
    void (*resume)(
        struct ssh_session *s); /* continues the login when something else than its socket is ready */
    enum session_state state;
    LIBSSH2_SESSION *ssh;
    struct dialling *dialling;
    struct watch socket; /* fd is -1 while not connected */
    struct timer timer;  /* the deadline of the login; then the periodic check */
    int64_t deadline;
    struct ssh_login *login;

    struct bytes in, out;
    size_t quota;          /* how much ciphertext libssh2 may still read before the result is checked */
    uint64_t taken, given; /* bytes that libssh2 has read; bytes that it has sent */
    size_t held, pieces;   /* bytes and blocks of memory allocated by libssh2 */
    size_t look_at;        /* the number of blocks at which they are checked next */
    size_t questions;      /* keep-alives that requested an answer; libssh2 stores the answers */
    const char *abuse;     /* the limit that the server exceeded, which ends the session */
    bool accepted;         /* the host key was accepted */
    int64_t idle_bytes, idle_looked; /* useless bytes, and the time of their last check */
    bool gone;                       /* the socket has reached end of file */
    bool deaf;                       /* the socket does not accept any more data */
    bool drained;                    /* the last read has emptied the socket */
    bool busy;    /* there is work to do in this iteration of the event loop, or in the next one */
    bool again;   /* also check channels that received nothing */
    bool blocked; /* during a rekey: nothing can be sent now */
    bool was_up;
    bool doubted; /* a keep-alive was sent, and is not answered yet */
    int64_t kept_alive, idle_since;
    uint64_t looked; /* number of bytes that were received at the last check */

    struct channel **channels;
    size_t count, room, first; /* first: where this iteration begins, so that no channel is always last */
    struct channel *opening;
    LIBSSH2_CHANNEL *driver; /* reads for the session if it has no connections */
    struct timer unread;

    /* Information that libssh2 does not report, taken from packets when libssh2 frees them. */
    char methods[256];             /* login methods named in the server's refusal */
    bool refused, partial;         /* a refusal arrived; it was a partial success */
    char open_reason[256];         /* why the server did not open a channel, as text */
    unsigned open_code;            /* the reason code, RFC 4254 section 5.1; 0: no answer seen */
    bool parted;                   /* the server has disconnected */
    char disconnected[256];        /* the text of its disconnect message */
    struct buf banner;             /* the server's text for the user before login, sanitised */
    const void *young[YOUNG_MOST]; /* memory blocks of this login, one of which may be a banner */
    struct buf greeting;           /* the first data from the server, in cleartext: greeting.c */
};

/* --- io.c --- */

/* Returns a libssh2 session that reads and writes the buffers of `s`, and whose memory is wiped if it may
 * contain a secret. */
LIBSSH2_SESSION *io_session(struct ssh_session *s);
void io_release(struct ssh_session *s);
/* Reads available data from the socket; sets s->gone at end of file. */
void io_fill(struct ssh_session *s);
/* Sends the collected data, as far as the socket takes it. */
void io_flush(struct ssh_session *s);
/* Returns whether no more data can come: the socket has ended and everything was read, or the server has
 * disconnected. */
bool io_is_over(const struct ssh_session *s);
/* Returns whether so much data waits for the socket that no more should be collected. */
bool io_stuffed(struct ssh_session *s);

void bytes_release(struct bytes *b); /* wipes and frees the buffer */
/* Returns room for n more bytes at the end. */
char *bytes_room(struct bytes *b, size_t n);

/* --- fate.c --- */

enum fate {
    FATE_WELL,
    FATE_AGAIN,
    FATE_REFUSED, /* a login method or a key was refused */
    FATE_CHANNEL, /* only a channel has failed */
    FATE_OVER,    /* the session has failed */
};
/* Returns what a result of libssh2 means for the session. */
enum fate libssh2_fate(long code);

/* --- bounds.c --- */

#define SESSION_MEMORY ((size_t)60 << 20) /* 64 MiB with malloc's overhead and the socket's buffers */

/* libssh2's memory: counted, limited, and wiped if it may have contained a secret. */
void *bounds_alloc(size_t n, void **abstract);
void bounds_free(void *at, void **abstract);
void *bounds_realloc(void *at, size_t n, void **abstract);
/* Counts bytes that libssh2 has read. */
void bounds_taken(struct ssh_session *s, size_t n);
/* Called once per iteration of the event loop: checks whether libssh2's queued packets can belong to open
 * connections. libssh2 searches its queue linearly in each call, so other packets cost time long before they
 * cost memory. */
void bounds_look(struct ssh_session *s);
/* Counts bytes received or sent by a connection. */
void bounds_moved(struct ssh_session *s, size_t n);
/* Must be called when a channel is closed; `n` is how much the server may have sent for it that is never
 * read. */
void bounds_unread(struct ssh_session *s, size_t n);

/* --- greeting.c --- */

/* Stores the server's first data. */
void greeting_add(struct ssh_session *s, const void *bytes, size_t n);
/* Describes which algorithms of the server's first KEXINIT libssh2 does not support. Returns false if the
 * server has not sent a KEXINIT. */
bool greeting_disagrees(const struct ssh_session *s, struct buf *why);

/* --- peek.c --- */

/* Called for memory that libssh2 frees: extracts useful information from a packet. */
void peek_packet(struct ssh_session *s, const unsigned char *at, size_t n);
/* Adds the banner that libssh2 stores but does not report. */
void peek_banner(struct ssh_session *s);
/* Copies the first line of a server's text, sanitised. */
void peek_line(char *to, size_t size, const void *text, size_t n);

/* --- session.c --- */

struct ssh_session *session_start(const struct ssh_settings *settings, struct credentials *credentials,
                                  struct buf *host_key, const struct session_events *events);
/* Sends a keep-alive; the session ends soon if it is not answered. */
void session_doubt(struct ssh_session *s);
/* Ends the session and its connections; `e` may be NULL. */
void session_end(struct ssh_session *s, const struct err *e);
void session_free(struct ssh_session *s);
/* Sends a disconnect message to the server, if the session is up. */
void session_disconnect(struct ssh_session *s);

#endif
