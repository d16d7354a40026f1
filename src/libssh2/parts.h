/* SPDX-License-Identifier: MIT */
/*
 * The interface between the parts of the engine libssh2: sessions (session.c), their bytes (io.c), the login
 * (login.c), channels (channel.c), the pool of sessions (pool.c). libssh2 never uses the socket itself: it
 * reads from and writes to our buffers, so none of its calls blocks and no packet is ever sent in part.
 */
#ifndef LIBSSH2_PARTS_H
#define LIBSSH2_PARTS_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>
#include <event/dial.h>
#include <event/loop.h>
#include <ssh/key.h>
#include <ssh/ssh.h>
#include <tunnel/restart.h>
#include <tunnel/tunnel.h>

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
    SESSION_ENDED, /* freed at the end of the iteration */
};

struct login;
struct channel;

#define YOUNG_MOST 64
#define BANNER_MOST 4096

struct session;
struct credentials;

/* Callbacks of a session to its pool. */
struct session_events {
    void (*up)(struct session *s);
    void (*ended)(struct session *s, const struct err *e,
                  const char *cannot);         /* of the last two one is NULL */
    bool (*is_spare)(const struct session *s); /* it is not needed any more */
    void (*look)(void);                        /* from time to time */
};

struct session {
    struct session *next;
    const struct ssh_settings *settings;
    const struct session_events *events;
    struct credentials
        *credentials;     /* what has worked for a login: the same for all sessions of the engine */
    struct buf *host_key; /* that was accepted for this host; empty before */
    void (*resume)(
        struct session *s); /* continues the login, when something other than its socket is ready */
    enum session_state state;
    LIBSSH2_SESSION *ssh;
    struct dialling *dialling;
    struct watch socket; /* fd -1: not connected yet */
    struct timer timer;  /* the deadline of the login; then the periodic check */
    int64_t deadline;
    struct login *login;

    struct bytes in, out;
    size_t quota;          /* how much ciphertext libssh2 may still read before we check the result */
    uint64_t taken, given; /* bytes that libssh2 has read and sent */
    size_t held, pieces;   /* memory allocated by libssh2 */
    size_t look_at;        /* the number of blocks at which their use is next checked */
    size_t questions;      /* keep-alives that request an answer: libssh2 stores the answers */
    const char *abuse;     /* the bound that the server exceeded, which ends the session */
    bool accepted;         /* the host key */
    int64_t idle_bytes, idle_looked; /* useless bytes, and when they were last checked */
    bool gone;                       /* the socket has ended */
    bool deaf;                       /* it accepts no more data */
    bool drained;                    /* and was drained when last read */
    bool busy;                       /* there is work in this iteration */
    bool again;                      /* also for a channel that received nothing */
    bool blocked;                    /* during a rekey: nothing can be sent now */
    bool was_up;
    bool doubted; /* a keep-alive was sent */
    int64_t kept_alive, idle_since;
    uint64_t looked; /* bytes received at the last check */
    uint64_t moved;  /* recent bytes, for the choice of a session */
    int64_t moved_until;

    struct channel **channels;
    size_t count, room, first; /* first: where this iteration begins, so that no channel is always last */
    struct channel *opening;
    LIBSSH2_CHANNEL *driver; /* reads for the session if no connection does */
    struct timer unread;

    /* Information that libssh2 does not report, read when it frees a packet. */
    char methods[256];             /* named by a refusal */
    bool refused, partial;         /* a refusal arrived; it was a partial success */
    char open_reason[256];         /* of a channel that could not be opened: sshd's words */
    unsigned open_code;            /* RFC 4254 section 5.1; 0: no answer seen */
    bool parted;                   /* the server has disconnected */
    char disconnected[256];        /* its disconnect message */
    struct buf banner;             /* its banner for the user, sanitised */
    const void *young[YOUNG_MOST]; /* memory blocks of this login, one of which may be a banner */
    struct buf greeting;           /* the first data, in cleartext: greeting.c */
};

/* --- io.c --- */

/* A libssh2 session that reads and writes `s`'s buffers, and whose memory is wiped if it may contain a
 * secret. */
LIBSSH2_SESSION *io_session(struct session *s);
void io_release(struct session *s);
/* Reads available data from the socket; sets gone at end of file. */
void io_fill(struct session *s);
/* Sends the collected data, as far as the socket takes it. */
void io_flush(struct session *s);
/* Whether nothing more can come of it: it has ended and all was read, or the server has disconnected. */
bool io_is_over(const struct session *s);
/* Whether so much data waits for the socket that no more should be collected. */
bool io_stuffed(struct session *s);

void bytes_release(struct bytes *b); /* wipes its content */
/* Room for n more behind the end. */
char *bytes_room(struct bytes *b, size_t n);

/* --- fate.c --- */

enum fate {
    FATE_WELL,
    FATE_AGAIN,
    FATE_REFUSED, /* a login method, or a key */
    FATE_CHANNEL, /* only a channel has failed */
    FATE_OVER,    /* the session */
};
/* Classifies a result of libssh2. */
enum fate libssh2_fate(long code);

/* --- bounds.c --- */

#define SESSION_MEMORY ((size_t)60 << 20) /* with malloc's overhead and the socket's buffers: 64 MiB */

/* libssh2's memory, counted and bounded; wiped if it may have contained a secret. */
void *bounds_alloc(size_t n, void **abstract);
void bounds_free(void *at, void **abstract);
void *bounds_realloc(void *at, size_t n, void **abstract);
/* Counts bytes that libssh2 has read. */
void bounds_taken(struct session *s, size_t n);
/* Called once per iteration: checks whether libssh2's queued packets can belong to open connections. libssh2
 * searches its queue linearly in each call, so other packets cost time long before they cost memory. */
void bounds_look(struct session *s);
/* Counts bytes received or sent by a connection. */
void bounds_moved(struct session *s, size_t n);
/* A channel is closed: the far side may have sent this much for it that is never read. */
void bounds_unread(struct session *s, size_t n);

/* --- greeting.c --- */

/* Stores the server's first data. */
void greeting_add(struct session *s, const void *bytes, size_t n);
/* Describes which algorithms of the server's first KEXINIT libssh2 lacks. False: it has sent none. */
bool greeting_disagrees(const struct session *s, struct buf *why);

/* --- peek.c --- */

/* Called for memory that libssh2 frees: extracts useful information from a packet. */
void peek_packet(struct session *s, const unsigned char *at, size_t n);
/* Adds the banner that libssh2 stores but does not report. */
void peek_banner(struct session *s);
/* The first line of a server's text, sanitised. */
void peek_line(char *to, size_t size, const void *text, size_t n);

/* --- methods.c --- */

/* Sets the algorithms that libssh2 negotiates: the safe ones that the user allows, fastest first, and host
 * keys as in known_hosts. False: none is left of one kind, which `why` names. `ssh` may be NULL. */
bool methods_set(const struct ssh_settings *settings, LIBSSH2_SESSION *ssh, struct buf *why);
/* The algorithms of each kind that libssh2 supports and we accept, in order of preference: comma lists. */
extern const char methods_kex[], methods_ciphers[], methods_macs[], methods_host_keys[];
/* Whether a comma list contains a word. */
bool list_has(const char *list, const char *word);
/* The words of `ours` that are also in `theirs`, in our order; NULL contains everything. */
void list_both(struct buf *out, const char *ours, const char *theirs);

/* --- login.c --- */

/* What has worked for a login, for later sessions; one per engine. */
struct credentials {
    struct ssh_keys keys;
    bool gathered; /* the keys have been collected */
    bool proven;   /* the following has logged in; only that is used from now on */
    struct ssh_key *key;
    struct secret *password;
    bool person; /* a one-time code was needed: no second login */
    bool costly; /* unlocking the key takes long enough to delay other connections */
};

/* 1: logged in, 0: wait for the socket (or resume()), -1: *e, or *cannot: what libssh2 lacks. */
int login_step(struct session *s, const char **cannot, struct err *e);
void login_free(struct login *l);
/* From now on text from the server for the user is shown, if it takes long. */
void login_trouble(struct session *s);
/* The login was not finished in time. Returns -1. */
int login_late(struct session *s, struct err *e);

/* --- session.c --- */

struct session *session_start(const struct ssh_settings *settings, struct credentials *credentials,
                              struct buf *host_key, const struct session_events *events);
/* Sends a keep-alive; without an answer the session ends soon. */
void session_doubt(struct session *s);
/* Ends it and its connections; e may be NULL. */
void session_end(struct session *s, const struct err *e);
void session_free(struct session *s);
/* Sends a disconnect to the server, if the session is up. */
void session_disconnect(struct session *s);

/* --- channel.c --- */

struct channel {
    struct channel *next;    /* in the pool's queue */
    struct session *session; /* NULL: in the queue */
    struct join *join;       /* NULL: cancelled */
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
    bool local_end, end_sent, far_end, closing;
};

/* The work of one iteration for a session that is up. Returns -1 if the session has failed. */
int channels_turn(struct session *s);
/* Ends the client's side at once; the far side is closed and the struct freed later. */
void channel_end(struct channel *c);
/* Ends all channels of an ended session, except the one being opened. */
void channels_end(struct session *s);
/* What one may send and is sent: flow.c. -1: the session has failed. */
int channel_deliver(struct session *s, struct channel *c);
int channel_take(struct session *s, struct channel *c);
bool channel_may_send(struct session *s, const struct channel *c);
/* Whether the windows of all channels leave room for one more. */
bool channel_has_room(const struct session *s);
/* `large`: how many channels of all sessions have a large one. */
void channel_set_window(struct channel *c, size_t large);
/* How much must have been read before it is granted again. If all data was taken, the far side may be waiting
 * for a grant; if there is more than we can take, more grants only cost time. */
uint32_t channel_step(const struct session *s, const struct channel *c);
/* How many bytes libssh2 may hold for its client; exact for a large window. */
size_t channel_queued(const struct channel *c);
/* The number of its channels with a large window. */
size_t channel_large(const struct session *s);
/* Stops reading its client for now. */
void channel_pause(struct channel *c);
/* Watches the client's side. */
void channel_watch(struct channel *c);

/* --- open.c --- */

/* Starts opening c on s, whose slot is free; `large` as for channel_set_window(). -1: the session has failed.
 */
int open_start(struct session *s, struct channel *c, size_t large);
/* Continues opening a channel, if one is being opened. */
int open_step(struct session *s);

/* --- can.c --- */

bool libssh2_can(const struct ssh_settings *s, struct buf *why);
/* Whether a library of this version ("1.10.0") can be used: versions of one soname differ in their structs.
 */
bool libssh2_fits(const char *loaded);

/* --- queue.c --- */

/* As struct tunnel_kind has them. */
void queue_join(struct join *j);
void queue_leave(struct join *j);
bool queue_heard(struct join *j);
/* Assigns waiting connections to sessions with a free slot. */
void queue_assign(void);
bool queue_waits(void);
void queue_refuse_all(const struct err *e);
/* The connection that an ended session was opening. */
void queue_take_back(struct session *s, const struct err *why);
void queue_close(void);

/* --- turn.c --- */

/* There is work: runs it in the next iteration. */
void session_wake(struct session *s);
void turn_again(void);
/* During one iteration, new work waits for the next. */
void turn_goes_on(bool does);
void turn_close(void);

/* --- pool.c --- */

extern struct pool {
    const struct ssh_settings *settings;
    const struct session_events *events;
    void (*opened)(const struct err *e, const char *why);
    struct session *sessions;
    struct credentials credentials;
    struct buf host_key;
    struct turn_hook hook;
    struct restart restart; /* of logins; its pause begins when one has failed */
    int64_t slept;
} pool;

void pool_start_session(void);
/* Whether it can log in again without the user. */
bool pool_may_log_in(void);
/* The number of sessions in these states. */
unsigned pool_count(enum session_state from, enum session_state to);
/* Whether it has had no connections for a while and is not the only one. */
bool pool_is_spare(const struct session *s);
bool pool_is_up(void);
/* Whether another session would be better for a new connection. */
bool pool_is_busy(struct session *s);
/* The best session that can open a channel now; NULL: none. */
struct session *pool_least_busy(void);
/* Whether the windows of no session leave room for one more. */
bool pool_is_full(void);
/* Opens one more session, if possible and not in progress. */
void pool_start_another(void);
/* Whether there is a session, or one is being opened now; if not, why. */
bool pool_log_in_again(struct err *e);
/* Checks all sessions if the machine was suspended. */
void pool_check_sleep(void);
/* The number of channels in use in all sessions. */
size_t pool_channels(void);
/* Those of them with a large window. */
size_t pool_large(void);

#endif
