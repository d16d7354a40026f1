/*
 * The engine libssh2, between its parts: sessions (session.c), their bytes (io.c), the login
 * (login.c), channels (channel.c) and the pool of sessions that is the engine
 * (pool.c). libssh2 is never left alone with the socket: it reads from and writes to our buffers, so
 * none of its calls waits and no packet is ever half sent.
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
#include <tunnel/tunnel.h>

/* Bytes on their way: ciphertext, or what a client has not taken yet. */
struct bytes {
    char *at;
    size_t start, end, size;
};

enum session_state {
    SESSION_DIALLING,
    SESSION_HANDSHAKE,
    SESSION_LOGIN,
    SESSION_UP,
    SESSION_ENDED, /* freed at the end of the turn */
};

struct login;
struct channel;

#define YOUNG_MOST 64
#define BANNER_MOST 4096

struct session;
struct credentials;

/* What a session tells its pool. */
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
    struct credentials *credentials; /* what has logged in once: the same for all sessions of the engine */
    struct buf *host_key;            /* that was accepted for this host; empty before */
    void (*resume)(
        struct session *s); /* goes on with the login, when something else than its socket is ready */
    enum session_state state;
    LIBSSH2_SESSION *ssh;
    struct dialling *dialling;
    int fd; /* -1: not connected yet */
    struct watch socket;
    struct timer timer; /* the deadline of the login; then what is done from time to time */
    int64_t deadline;
    struct login *login;

    struct bytes in, out;
    size_t quota;          /* how much ciphertext libssh2 may still see before we look at what came of it */
    uint64_t taken, given; /* bytes that libssh2 has read and sent */
    size_t held, pieces;   /* what libssh2 has of memory */
    size_t look_at;        /* the number of pieces at which it is next looked whose they are */
    size_t questions;      /* signs of life that were to be answered: libssh2 keeps the answers */
    const char *abuse;     /* a bound that the server passed; it is the end */
    bool accepted;         /* the host key */
    int64_t idle_bytes, idle_looked; /* of no use, and when that was last looked at */
    bool gone;                       /* the socket has ended */
    bool deaf;                       /* it takes nothing any more */
    bool drained;                    /* and gave all that it had, when last read */
    bool busy;                       /* there is something to do this turn */
    bool again;                      /* and for a channel to which nothing came */
    bool blocked;                    /* keys are exchanged: nothing can be sent now */
    bool was_up;
    bool doubted; /* asked for a sign of life */
    int64_t kept_alive, idle_since;
    uint64_t looked; /* what was taken when it was last looked whether something had come */
    uint64_t moved;  /* bytes lately, for the choice of a session */
    int64_t moved_until;

    struct channel **channels;
    size_t count, room, first; /* first: where this turn begins, so that nobody is always last */
    struct channel *opening;
    LIBSSH2_CHANNEL *driver; /* reads for the session where no connection does */
    struct timer unread;

    /* What libssh2 keeps to itself, seen when it lets go of a packet. */
    char methods[256];             /* that a refusal named */
    bool refused, partial;         /* a refusal came; it was a partial success */
    char open_reason[256];         /* of a channel that could not be opened: sshd's words */
    unsigned open_code;            /* RFC 4254 section 5.1; 0: no answer seen */
    bool parted;                   /* the server has taken leave */
    char disconnected[256];        /* its last words */
    struct buf banner;             /* what it has said to the person who logs in, sanitised */
    const void *young[YOUNG_MOST]; /* pieces of memory of this login, among which a banner may be */
    struct buf greeting;           /* what came first, in clear: greeting.c */
};

/* --- io.c --- */

/* A libssh2 session that reads and writes `s`'s buffers, and whose memory is wiped where it may hold a
 * secret. */
LIBSSH2_SESSION *io_session(struct session *s);
void io_release(struct session *s);
/* Takes from the socket what is there; sets gone at its end. */
void io_fill(struct session *s);
/* Sends what was gathered, as far as the socket takes it. */
void io_flush(struct session *s);
/* Whether nothing more can come of it: it has ended and all was read, or the server has taken leave. */
bool io_is_over(const struct session *s);
/* Whether so much waits for the socket that no more should be gathered. */
bool io_stuffed(struct session *s);

void bytes_release(struct bytes *b); /* wipes what it holds */
/* Room for n more behind the end. */
char *bytes_room(struct bytes *b, size_t n);

/* --- fate.c --- */

enum fate {
    FATE_WELL,
    FATE_AGAIN,
    FATE_REFUSED, /* a way to log in, or a key */
    FATE_CHANNEL, /* only a channel has failed */
    FATE_OVER,    /* the session */
};
/* Of what a call of libssh2's gave. */
enum fate libssh2_fate(long code);

/* --- bounds.c --- */

#define SESSION_MEMORY ((size_t)60 << 20) /* with malloc's own and the buffers of the socket: 64 MiB */

/* libssh2's memory, counted and bounded; wiped where it may have held a secret. */
void *bounds_alloc(size_t n, void **abstract);
void bounds_free(void *at, void **abstract);
void *bounds_realloc(void *at, size_t n, void **abstract);
/* libssh2 has read so much. */
void bounds_taken(struct session *s, size_t n);
/* Once a turn: whether there are connections to which what libssh2 has queued may belong. It goes through the
 * queue packet by packet for each of its calls, so others cost time long before they cost memory. */
void bounds_look(struct session *s);
/* A connection has got or sent so much. */
void bounds_moved(struct session *s, size_t n);
/* A channel is closed; the far side may have sent so much for it, which nobody reads. */
void bounds_unread(struct session *s, size_t n);

/* --- greeting.c --- */

/* Keeps what the server says first. */
void greeting_add(struct session *s, const void *bytes, size_t n);
/* Which algorithms of the server's first KEXINIT libssh2 lacks, in words. False: it has sent none. */
bool greeting_disagrees(const struct session *s, struct buf *why);

/* --- peek.c --- */

/* A piece of memory that libssh2 frees: keeps what is worth knowing of a packet. */
void peek_packet(struct session *s, const unsigned char *at, size_t n);
/* Adds to the session's banner what libssh2 has of it and gives to nobody. */
void peek_banner(struct session *s);
/* The first line of a server's text, safe to show. */
void peek_line(char *to, size_t size, const void *text, size_t n);

/* --- methods.c --- */

/* Tells libssh2 what to negotiate: what is fast and safe, of what the user allows, host keys as known_hosts
 * has them. False: nothing is left of one kind, which `why` names. `ssh` may be NULL. */
bool methods_set(const struct ssh_settings *settings, LIBSSH2_SESSION *ssh, struct buf *why);
/* What libssh2 has of each kind and we want, in the order of our preference: comma lists. */
extern const char methods_kex[], methods_ciphers[], methods_macs[], methods_host_keys[];
/* Whether a comma list has a word. */
bool list_has(const char *list, const char *word, size_t n);
/* Those of `ours` that `theirs` has too, in the order of ours; NULL has everything. */
void list_both(struct buf *out, const char *ours, const char *theirs);

/* --- login.c --- */

/* What has logged in once, for the sessions to come; one for the engine. */
struct credentials {
    struct ssh_keys keys;
    bool gathered; /* keys are all there are */
    bool proven;   /* what follows has logged in; only that is used from now on */
    struct ssh_key *key;
    struct secret *password;
    bool person; /* a code that only a person has was needed: no second login */
    bool costly; /* unlocking the key takes so long that others would notice */
};

/* 1 logged in, 0 wait for the socket (or session_step()), -1 the error, or *cannot: what libssh2 lacks. */
int login_step(struct session *s, const char **cannot, struct err *e);
void login_free(struct login *l);
/* From now on what the server says to a person is shown, if it takes long. */
void login_tell(struct session *s);
/* The login was not finished in time. -1. */
int login_late(struct session *s, struct err *e);

/* --- session.c --- */

struct session *session_start(const struct ssh_settings *settings, struct credentials *credentials,
                              struct buf *host_key, const struct session_events *events);
/* Goes on with the handshake or login. */
void session_step(struct session *s);
/* Asks for a sign of life, to be ended soon without one. */
void session_doubt(struct session *s);
/* Ends it and all that it carries; e may be NULL. */
void session_end(struct session *s, const struct err *e);
void session_free(struct session *s);
/* Takes leave of the server, where it is up. */
void session_disconnect(struct session *s);

/* --- channel.c --- */

struct channel {
    struct channel *next;    /* in the pool's queue */
    struct session *session; /* NULL: in the queue */
    struct join *join;       /* NULL: nobody waits for it any more */
    /* Its open has come to its end, in whatever way: the slot of its session is free. */
    void (*opened)(struct channel *c, const struct err *e);
    LIBSSH2_CHANNEL *ssh;
    struct watch local;
    struct timer patience;    /* until it is open; then from the far side's end on */
    struct bytes down, up;    /* what could not be passed on yet */
    uint32_t window, portion; /* what the far side may send, and what is read at once: fixed */
    uint32_t granting;        /* of what was read, and could not be sent yet */
    size_t index;
    bool again;    /* to be looked at though nothing came: there may be more, or a window to grant */
    bool drives;   /* it is no connection, but the session's driver */
    bool tried;    /* its session was lost while it was being opened: not a third time */
    bool readable; /* the client has sent */
    bool paused;   /* and is not read: the far side takes no more now */
    bool heard;    /* the far side has sent */
    bool local_end, end_sent, far_end, closing;
};

/* Work of one turn for a session that is up. Returns -1 where the session has failed. */
int channels_turn(struct session *s);
/* Ends the client's side at once; the far side is closed and the struct freed in time. */
void channel_end(struct channel *c);
/* All of a session that has ended, but for the one that was being opened. */
void channels_end(struct session *s);
/* What one may send and is sent: flow.c. -1: the session has failed. */
int channel_deliver(struct session *s, struct channel *c);
int channel_take(struct session *s, struct channel *c);
bool channel_may_send(struct session *s, const struct channel *c);
/* Whether the windows of all channels leave room for one more. */
bool channel_has_room(const struct session *s);
/* `large`: how many channels of all sessions have a large one. */
void channel_set_window(struct channel *c, size_t large);
/* How much must have been read before it is granted anew. Where all that came was taken, the far side may
 * wait for it; where there is more than we can take, each grant costs and helps nobody. */
uint32_t channel_step(const struct session *s, const struct channel *c);
/* How many bytes libssh2 may have for its client; exact where its window is a large one. */
size_t channel_queued(const struct channel *c);
/* How many of its channels have a large one. */
size_t channel_large(const struct session *s);
/* Does not read its client for now. */
void channel_pause(struct channel *c);
/* Watches the client's side. */
void channel_watch(struct channel *c);

/* --- open.c --- */

/* Begins to open c on s, whose slot is free; `large` as for channel_set_window(). -1: the session has failed.
 */
int open_start(struct session *s, struct channel *c, size_t large);
/* Goes on with what is being opened, if anything is. */
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
/* Gives sessions with a free slot what waits. */
void queue_assign(void);
bool queue_waits(void);
void queue_refuse_all(const struct err *e);
/* What a session that has ended was opening. */
void queue_take_back(struct session *s, const struct err *why);
void queue_close(void);

/* --- turn.c --- */

/* There is work: a turn will come at once. */
void session_wake(struct session *s);
void turn_again(void);
/* While one goes on, what is woken waits for the next. */
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
    struct err reason; /* of the last login that failed */
    int64_t back_off, not_before;
    int64_t slept;
} pool;

void pool_start_session(void);
/* Whether it may log in again, with what is known. */
bool pool_may_log_in(void);
/* How many sessions are in these states. */
unsigned pool_count(enum session_state from, enum session_state to);
/* Whether it carries nothing, has not for a while, and is not the only one. */
bool pool_is_spare(const struct session *s);
bool pool_is_up(void);
/* Whether a connection would be better off in another one. */
bool pool_is_busy(struct session *s);
/* Among the sessions that can open a channel now; NULL: none can. */
struct session *pool_least_busy(void);
/* Whether the windows of no session leave room for one more. */
bool pool_is_full(void);
/* Opens a session more, where that is possible and not being done. */
void pool_start_another(void);
/* Whether there is a session, or one may be opened now, which is then begun; if not, why. */
bool pool_log_in_again(struct err *e);
/* Doubts all sessions where the machine has slept. */
void pool_check_sleep(void);
/* Channels in use in all sessions, for a fair share. */
size_t pool_channels(void);
/* Those of them with a large window. */
size_t pool_large(void);

#endif
