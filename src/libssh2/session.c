/* SPDX-License-Identifier: MIT */
/*
 * One SSH session of the libssh2 engine, from the dial to its end: handshake, host key, login, then
 * keep-alives. Usually these do not request answers (libssh2 would store each answer forever): TCP detects a
 * silent peer, and an answer is requested only in doubt, or if nothing has arrived and a connection waits.
 */
#include "session.h"
#include "channel.h"
#include "login.h"
#include "methods.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <event/sock.h>
#include <tunnel/tell.h>

#define FEED_ALL (1u << 30)
#define SILENCE_MS 30000 /* a session with data unacknowledged for this long is lost */
#define SIGN_OF_LIFE_MS 5000
#define TWICE_MS 3000    /* libssh2 does not send two keep-alives within two seconds */
#define KEPT_MOST 65536u /* libssh2's memory blocks; with more, no answers are requested */

static void not_at_once(struct ssh_session *s, const char *cannot, const struct err *e)
{
    struct err copy = ERR_INIT;

    if (e)
        err_copy(&copy, e);
    if (s->state <= SESSION_LOGIN)
        tell_end();
    s->state = SESSION_ENDED;
    loop_close(&s->socket);
    timer_clear(&s->timer);
    if (s->dialling)
        dial_cancel(s->dialling);
    s->dialling = NULL;
    channels_end(s);
    s->events->ended(s, cannot ? NULL : &copy, cannot);
}

void session_end(struct ssh_session *s, const struct err *e)
{
    struct err lost = ERR_INIT;

    if (s->state == SESSION_ENDED)
        return;
    if (!e) {
        const char *why = s->abuse ? s->abuse : s->disconnected;
        (void)err_set(&lost, ERR_UNREACHABLE, "ssh %s: connection lost%s%s", ssh_who(s->settings),
                      *why ? ": " : "", why);
        (void)err_hint(&lost, "the next connection logs in again");
    }
    not_at_once(s, NULL, e ? e : &lost);
}

void session_disconnect(struct ssh_session *s)
{
    if (s->state != SESSION_UP)
        return;
    (void)libssh2_session_disconnect_ex(s->ssh, SSH_DISCONNECT_BY_APPLICATION, "", "");
    io_flush(s);
}

void session_free(struct ssh_session *s)
{
    login_free(s->login);
    /* Set, because libssh2 would otherwise wait for answers. */
    s->gone = true;
    s->in.start = s->in.end;
    if (s->ssh)
        (void)libssh2_session_free(s->ssh);
    io_release(s);
    buf_release(&s->greeting);
    buf_release(&s->banner);
    free(s->channels);
    loop_close(&s->socket);
    free(s);
}

/* --- while it is up --- */

static void from_time_to_time(struct timer *t);

static void next_time(struct ssh_session *s)
{
    int64_t every = s->settings->keepalive / SSH_LOOKS;

    if (s->doubted && every < SIGN_OF_LIFE_MS)
        every = SIGN_OF_LIFE_MS;
    if (every > 0)
        timer_set(&s->timer, clock_ms() + every, from_time_to_time);
}

static void keep_alive(struct ssh_session *s, int want_reply)
{
    s->questions += (size_t)want_reply;
    libssh2_keepalive_config(s->ssh, want_reply, 1);
    (void)libssh2_keepalive_send(s->ssh, NULL);
    s->kept_alive = clock_ms();
    io_flush(s);
}

static void session_leave(struct ssh_session *s)
{
    struct err idle = ERR_INIT;

    session_disconnect(s);
    (void)err_set(&idle, ERR_UNREACHABLE, "ssh %s: closed a session that is no longer needed",
                  ssh_who(s->settings));
    session_end(s, &idle);
}

/* An answer is requested only if a connection may be waiting in vain, because libssh2 stores each answer. */
static void look(struct ssh_session *s)
{
    bool waits = s->count && s->taken == s->looked && s->pieces < KEPT_MOST && s->settings->keepalive;

    s->looked = s->taken;
    if (waits && clock_ms() - s->kept_alive < TWICE_MS)
        return;
    s->doubted = waits;
    keep_alive(s, waits);
}

static void from_time_to_time(struct timer *t)
{
    struct ssh_session *s = OWNER_OF(t, struct ssh_session, timer);

    if (s->doubted) {
        session_end(s, NULL);
        return;
    }
    if (s->events->is_spare(s)) {
        session_leave(s);
        return;
    }
    look(s);
    next_time(s);
    s->events->look();
}

void session_doubt(struct ssh_session *s)
{
    if (s->state != SESSION_UP || s->doubted || clock_ms() - s->kept_alive < TWICE_MS)
        return;
    s->doubted = true;
    keep_alive(s, 1);
    timer_set(&s->timer, clock_ms() + SIGN_OF_LIFE_MS, from_time_to_time);
}

/* --- until it is up --- */

static void too_late(struct timer *t)
{
    struct ssh_session *s = OWNER_OF(t, struct ssh_session, timer);
    struct err e = ERR_INIT;

    if (clock_ms() < s->deadline) {
        timer_set(t, s->deadline, too_late);
        return;
    }
    if (s->state == SESSION_LOGIN)
        (void)login_late(s, &e);
    else
        (void)ssh_silent(s->settings, &e);
    session_end(s, &e);
}

static void peer_address(int fd, char *to, size_t size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    *to = '\0';
    if (getpeername(fd, (struct sockaddr *)&address, &length) == 0)
        (void)getnameinfo((const struct sockaddr *)&address, length, to, (socklen_t)size, NULL, 0,
                          NI_NUMERICHOST);
}

/* An accepted key stays accepted for this process, because the user cannot be asked any more. */
static int check_host_key(struct ssh_session *s, struct err *e)
{
    struct buf *accepted = s->host_key;
    char address[NI_MAXHOST];
    size_t n = 0;
    int type;
    const char *blob = libssh2_session_hostkey(s->ssh, &n, &type);

    if (!blob)
        return err_set(e, ERR_PROTOCOL, "%s: the server sent no host key", s->settings->host);
    s->accepted = accepted->len == n && memcmp(accepted->data, blob, n) == 0;
    if (s->accepted)
        return 0;
    peer_address(s->socket.fd, address, sizeof address);
    if (host_key_check(s->settings, address, blob, n, &s->deadline, e) < 0)
        return -1;
    buf_clear(accepted);
    buf_add(accepted, blob, n);
    s->accepted = true;
    return 0;
}

/* Returns 1 if done, 0 to wait, -1 on failure. */
static int handshake(struct ssh_session *s, const char **cannot, struct err *e)
{
    static char why[512];
    AUTO_BUF(words, sizeof why);
    char *text = NULL;
    int result = libssh2_session_handshake(s->ssh, s->socket.fd);

    if (result == LIBSSH2_ERROR_EAGAIN && !io_is_over(s))
        return 0;
    if (result == 0)
        return check_host_key(s, e) < 0 ? -1 : 1;
    if (result == LIBSSH2_ERROR_KEX_FAILURE && !s->gone && !s->abuse && greeting_disagrees(s, &words)) {
        (void)snprintf(why, sizeof why, "%s", buf_str(&words));
        *cannot = why;
        return -1;
    }
    (void)libssh2_session_last_error(s->ssh, &text, NULL, 0);
    if (s->abuse || *s->disconnected)
        (void)err_set(e, ERR_UNREACHABLE, "%s: %s", ssh_where(s->settings),
                      s->abuse ? s->abuse : s->disconnected);
    else if (s->gone || s->parted)
        (void)err_set(e, ERR_UNREACHABLE, "%s: the server closed the connection before the login",
                      ssh_where(s->settings));
    else
        (void)err_set(e, ERR_PROTOCOL, "%s broke the SSH protocol: %.200s", ssh_where(s->settings),
                      text ? text : "");
    return err_hint(e, "try %s", ssh_try(s->settings));
}

/* Reports key exchange methods that the settings request but libssh2 does not support. */
static void note_kex(const struct ssh_session *s)
{
    static const char *const quantum[] = {"mlkem", "sntrup"};
    const char *first = s->settings->kex ? s->settings->kex : "";

    for (size_t i = 0; i < ARRAY_LEN(quantum); i++) {
        if (text_starts(first, quantum[i]))
            log_step("ssh",
                     "no post-quantum key exchange (%.*s): libssh2 has none, but ssh_engine = openssh does",
                     (int)strcspn(first, ","), first);
    }
}

static void logged_in(struct ssh_session *s)
{
    memset(s->young, 0, sizeof s->young);
    tell_end();
    s->state = SESSION_UP;
    s->was_up = true;
    login_free(s->login);
    s->login = NULL;
    timer_clear(&s->timer);
    sock_give_up_after(s->socket.fd, SILENCE_MS);
    log_trace("ssh", "%s:%u: %s, %s, %s", ssh_who(s->settings), s->settings->port,
              libssh2_session_methods(s->ssh, LIBSSH2_METHOD_KEX),
              libssh2_session_methods(s->ssh, LIBSSH2_METHOD_CRYPT_CS),
              libssh2_session_methods(s->ssh, LIBSSH2_METHOD_HOSTKEY));
    note_kex(s);
    s->idle_since = s->idle_looked = clock_ms();
    buf_release(&s->greeting);
    next_time(s);
    s->events->up(s);
}

/* Before READY, sets a longer deadline for the login, because the user may have to approve it on another
 * device. */
static void extend_login_deadline(struct ssh_session *s)
{
    s->state = SESSION_LOGIN;
    if (s->settings->target->ready)
        return;
    s->deadline = clock_deadline(s->settings->target->login_timeout, CLOCK_NEVER);
    timer_set(&s->timer, s->deadline, too_late);
    login_trouble(s);
}

/* Continues the handshake or login. */
static void session_step(struct ssh_session *s)
{
    const char *cannot = NULL;
    struct err e = ERR_INIT;
    int result = 1;

    if (s->state != SESSION_HANDSHAKE && s->state != SESSION_LOGIN)
        return;
    s->quota = FEED_ALL;
    if (s->state == SESSION_HANDSHAKE) {
        result = handshake(s, &cannot, &e);
        if (result > 0)
            extend_login_deadline(s);
    }
    if (s->state == SESSION_LOGIN && result > 0)
        result = login_step(s, &cannot, &e);
    io_flush(s);
    if (result < 0)
        not_at_once(s, cannot, &e);
    else if (result > 0)
        logged_in(s);
}

static void socket_ready(struct watch *w, unsigned events)
{
    struct ssh_session *s = OWNER_OF(w, struct ssh_session, socket);

    if (events & LOOP_READ)
        io_fill(s);
    if (events & LOOP_WRITE)
        io_flush(s);
    if (s->state == SESSION_UP)
        s->busy = true;
    else
        session_step(s);
}

static void dialled(void *context, int fd, const struct err *e)
{
    struct ssh_session *s = context;
    AUTO_BUF(why, 512);

    s->dialling = NULL;
    if (fd < 0) {
        struct err own = *e;
        /* Without MySQL's error number, because the SSH host and not the database cannot be reached. */
        err_drop_number(&own);
        (void)err_hint(&own, "try %s", ssh_try(s->settings));
        session_end(s, &own);
        return;
    }
    loop_watch(&s->socket, fd, LOOP_READ, socket_ready);
    s->ssh = io_session(s);
    s->state = SESSION_HANDSHAKE;
    (void)methods_set(s->settings, s->ssh, &why);
    session_step(s);
}

struct ssh_session *session_start(const struct ssh_settings *settings, struct credentials *credentials,
                                  struct buf *host_key, const struct session_events *events)
{
    struct ssh_session *s = mem_alloc(1, sizeof *s);

    *s = (struct ssh_session){.settings = settings,
                              .events = events,
                              .credentials = credentials,
                              .host_key = host_key,
                              .resume = session_step,
                              .socket = {.fd = -1},
                              .greeting = BUF_INIT(65536),
                              .banner = BUF_INIT(BANNER_MOST)};
    s->deadline = clock_deadline(settings->connect_timeout, CLOCK_NEVER);
    timer_set(&s->timer, s->deadline, too_late);
    s->dialling = dial_start(NULL, settings->host, settings->port, s->deadline, dialled, s);
    return s;
}
