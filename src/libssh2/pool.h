/* SPDX-License-Identifier: MIT */
/* The sessions of the libssh2 engine (pool.c), and the connections that wait to be opened in one
 * (queue.c). */
#ifndef LIBSSH2_POOL_H
#define LIBSSH2_POOL_H

#include <tunnel/restart.h>
#include <tunnel/tunnel.h>

#include "login.h"
#include "session.h"

/* --- pool.c --- */

extern struct pool {
    const struct ssh_settings *settings;
    const struct session_events *events;
    void (*opened)(const struct err *e, const char *why);
    struct ssh_session *sessions;
    struct credentials credentials;
    struct buf host_key;
    struct restart restart; /* for logins; its pause begins when a login has failed */
    int64_t slept;
} pool;

void pool_start_session(void);
/* Returns whether the engine can log in again without asking the user. */
bool pool_may_log_in(void);
/* Returns the number of sessions in these states. */
unsigned pool_count(enum session_state from, enum session_state to);
/* Returns whether a session has had no connections for some time and is not the only one. */
bool pool_is_spare(const struct ssh_session *s);
bool pool_is_up(void);
/* Returns the least busy session that can open a channel now, or NULL if there is none. */
struct ssh_session *pool_least_busy(void);
/* Returns whether no session's windows leave room for one more channel. */
bool pool_is_full(void);
/* Opens one more session, if possible and if none is being opened. */
void pool_start_another(void);
/* Returns whether a session exists or could be started now; sets *e if not. */
bool pool_log_in_again(struct err *e);
/* Checks all sessions if the machine was suspended. */
void pool_check_sleep(void);
/* Returns the number of channels in use in all sessions. */
size_t pool_channels(void);
/* Returns how many of them have a large window. */
size_t pool_large(void);

/* --- queue.c --- */

/* See struct tunnel_kind. */
void queue_handoff(struct handoff *h);
void queue_cancel(struct handoff *h);
bool queue_heard(struct handoff *h);
/* Assigns waiting connections to sessions with a free slot. */
void queue_assign(void);
bool queue_waits(void);
void queue_refuse_all(const struct err *e);
/* Takes back the connection that an ended session was opening. */
void queue_take_back(struct ssh_session *s, const struct err *why);
void queue_close(void);

#endif
