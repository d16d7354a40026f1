/* SPDX-License-Identifier: MIT */
/* The sessions of the engine (pool.c), and the connections that wait to be opened over one (queue.c). */
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
    struct restart restart; /* of logins; its pause begins when one has failed */
    int64_t slept;
} pool;

void pool_start_session(void);
/* Whether it can log in again without the user. */
bool pool_may_log_in(void);
/* The number of sessions in these states. */
unsigned pool_count(enum session_state from, enum session_state to);
/* Whether it has had no connections for a while and is not the only one. */
bool pool_is_spare(const struct ssh_session *s);
bool pool_is_up(void);
/* The best session that can open a channel now; NULL: none. */
struct ssh_session *pool_least_busy(void);
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

/* --- queue.c --- */

/* As struct tunnel_kind has them. */
void queue_handoff(struct handoff *h);
void queue_cancel(struct handoff *h);
bool queue_heard(struct handoff *h);
/* Assigns waiting connections to sessions with a free slot. */
void queue_assign(void);
bool queue_waits(void);
void queue_refuse_all(const struct err *e);
/* The connection that an ended session was opening. */
void queue_take_back(struct ssh_session *s, const struct err *why);
void queue_close(void);

#endif
