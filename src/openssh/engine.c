/* SPDX-License-Identifier: MIT */
/*
 * The openssh engine: runs the system's ssh as a master, which gets the client's own descriptor and copies
 * its bytes itself. If the master is lost, the next connection starts it again, but not during the back-off
 * pause, and not if its login needed the user. The master's process is in master.c, its protocol in mux.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <event/loop.h>
#include <event/sock.h>
#include <ssh/ssh.h>
#include <tunnel/service.h>

#include "ask.h"
#include "master.h"
#include "mux.h"
#include "side.h"
#include "unix_stream.h"

#define SLEPT_MS 5000 /* after a suspend this long the server may have closed the connection */
#define PROBE_MS 5000
#define DOUBT_MS 1000

struct master_stream {
    struct handoff *handoff;
    struct waiter waiter; /* waits for a master */
    enum { NOT_OPEN, HANDED_OVER, CANCELLED, CARRIED } state;
    struct mux *mux;
    struct socket_stream *local; /* used instead of `mux` if the endpoint is a unix socket */
    int kept;                    /* descriptor that the master got, until data was sent over it; -1: none */
    struct timer settle;
};

static void engine_start(void);
static bool login_needs_user(struct err *e);

static struct {
    const struct ssh_settings *s;
    void (*opened)(const struct err *e, const char *why);
    struct tunnel_service service;
    int64_t slept; /* clock_slept_ms() when data was last received */
    struct timer doubt;
} engine = {.service = {.start = engine_start, .never_again = login_needs_user}};

static void probe(void);

static bool is_up(void)
{
    return engine.service.state == SERVICE_UP;
}

static bool login_needs_user(struct err *e)
{
    if (!ask_needed_user())
        return false;
    (void)err_set(e, ERR_LOGIN, "%s: the SSH session is lost, and a new login needs an answer from you",
                  ssh_who(engine.s));
    (void)err_hint(e, "start it again");
    return true;
}

/* --- one stream ----------------------------------------------------------------------------------------- */

static void stream_fail(struct master_stream *t, const struct err *e)
{
    struct handoff *h = t->handoff;

    timer_clear(&t->settle);
    free(t);
    h->state = NULL;
    h->taken(h, e);
}

static void stream_refused(struct timer *timer)
{
    AUTO_BUF(words, 1024);
    struct err e = ERR_INIT;

    master_stream_reason(&words);
    (void)ssh_refused_stream(engine.s, buf_str(&words), &e);
    stream_fail(OWNER_OF(timer, struct master_stream, settle), &e);
}

static void stream_silent(struct master_stream *t)
{
    struct err e = ERR_INIT;

    ssh_silent_stream(engine.s, &e);
    probe();
    stream_fail(t, &e);
}

/* The owner gives up the descriptor before it is closed or read, and may cancel the stream at once. */
static void stream_carried(struct master_stream *t)
{
    int fd = t->handoff->fd;

    t->state = HANDED_OVER;
    t->handoff->taken(t->handoff, NULL);
    if (t->state == CANCELLED) {
        (void)close(fd);
        free(t);
        return;
    }
    t->state = CARRIED;
    if (t->local)
        socket_carry(t->local, fd);
    else if (sock_has_sent(fd))
        (void)close(fd); /* the master has its own copy */
    else
        t->kept = fd;
}

/* A forward to a unix socket counts as open once the server has sent data. */
static bool openssh_heard(struct handoff *h)
{
    struct master_stream *t = h->state;

    if (t->kept >= 0 && !sock_has_sent(t->kept))
        return false;
    fd_close_cleanup(&t->kept);
    return true;
}

/* The master runs but cannot be reached: its socket was removed. */
static void still_there(struct timer *timer)
{
    (void)timer;
    if (is_up() && !TAILQ_EMPTY(&engine.service.waiters))
        master_doubt();
}

/* The master ended before it took the descriptor: the next master may take it. */
static void stream_again(struct master_stream *t)
{
    service_await_next(&engine.service, &t->waiter);
    if (is_up() && !engine.doubt.set)
        timer_set(&engine.doubt, clock_ms() + DOUBT_MS, still_there);
}

static void stream_answered(void *context, enum mux_answer answer, const char *words)
{
    struct master_stream *t = context;

    (void)words;
    if (answer != MUX_YES) {
        t->mux = NULL;
        t->local = NULL;
    }
    if (answer == MUX_YES) {
        side_nudge_now();
        stream_carried(t);
    } else if (answer == MUX_NO) {
        /* The reason is on ssh's stderr, which may be read later in this iteration of the event loop. */
        timer_set(&t->settle, clock_ms(), stream_refused);
    } else if (answer == MUX_SILENT) {
        stream_silent(t);
    } else {
        stream_again(t);
    }
}

static void stream_ended(void *context)
{
    struct master_stream *t = context;
    struct handoff *h = t->handoff;

    fd_close_cleanup(&t->kept);
    free(t);
    h->state = NULL;
    h->ended(h);
}

static void stream_ask(struct waiter *w, const struct err *e)
{
    struct master_stream *t = OWNER_OF(w, struct master_stream, waiter);
    static const struct mux_use use = {.answered = stream_answered, .ended = stream_ended};
    int64_t deadline = clock_deadline(engine.s->target->connect_timeout, CLOCK_NEVER);
    struct buf request = BUF_INIT(4096);

    if (e) {
        stream_fail(t, e);
        return;
    }
    side_nudge();
    if (engine.s->target->socket) {
        t->local = socket_ask(master_forward(), deadline, &use, t);
        return;
    }
    mux_put_stream(&request, engine.s->target->host, engine.s->target->port);
    t->mux = mux_ask(master_control(), &request, (const int[]){t->handoff->fd, t->handoff->fd}, 2, deadline,
                     &use, t);
}

/* --- probing the SSH connection
 * --------------------------------------------------------------------------------------- */

static void is_silent(void)
{
    if (is_up())
        master_doubt();
}

/* The server may be gone; ssh itself would notice this only by its keep-alives. */
static void probe(void)
{
    if (is_up())
        side_ask(clock_deadline(PROBE_MS, CLOCK_NEVER), is_silent);
}

static void probe_after_sleep(void)
{
    int64_t slept = clock_slept_ms();

    if (slept - engine.slept >= SLEPT_MS)
        probe();
    engine.slept = slept;
}

/* --- the engine ----------------------------------------------------------------------------------------- */

static void opened(const struct err *e)
{
    engine.opened(e, NULL);
}

static void settled(const struct err *e)
{
    engine.slept = clock_slept_ms();
    service_settled(&engine.service, e);
}

static void lost(const struct err *e)
{
    timer_clear(&engine.doubt);
    if (engine.service.restart.pause <= RESTART_LEAST_MS)
        engine.service.restart.from -= RESTART_LEAST_MS; /* the first login starts at once */
    service_lost(&engine.service, e);
}

static void engine_start(void)
{
    master_start(engine.s, settled, lost);
}

static void openssh_open(const struct ssh_settings *s,
                         void (*when_opened)(const struct err *e, const char *why))
{
    engine.s = s;
    engine.opened = when_opened;
    service_open(&engine.service, s->target, opened);
}

static void openssh_handoff(struct handoff *h)
{
    struct master_stream *t = mem_alloc(1, sizeof *t);

    *t = (struct master_stream){.handoff = h, .waiter.go = stream_ask, .kept = -1};
    h->state = t;
    if (is_up())
        probe_after_sleep();
    service_await(&engine.service, &t->waiter);
}

static void openssh_cancel(struct handoff *h)
{
    struct master_stream *t = h->state;

    if (!t)
        return;
    h->state = NULL;
    (void)service_cancel(&engine.service, &t->waiter);
    timer_clear(&t->settle);
    if (t->mux)
        mux_stop(t->mux);
    if (t->local)
        socket_stop(t->local);
    fd_close_cleanup(&t->kept);
    if (t->state == HANDED_OVER)
        t->state = CANCELLED;
    else
        free(t);
}

static void openssh_close(void)
{
    engine.service.state = SERVICE_DOWN;
    master_stop();
    ask_close();
}

const struct ssh_engine ssh_openssh = {.name = "openssh",
                                       .can = master_can,
                                       .open = openssh_open,
                                       .handoff = openssh_handoff,
                                       .cancel = openssh_cancel,
                                       .heard = openssh_heard,
                                       .is_up = is_up,
                                       .close = openssh_close};
