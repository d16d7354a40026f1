/* SPDX-License-Identifier: MIT */
/*
 * The tunnel of the process, and code shared by all kinds: for a kind that only hands off descriptors, a dial
 * uses a socket pair, one descriptor of which is handed off.
 */
#include "tunnels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/text.h>
#include <event/loop.h>

/* TUNNELS: the rows TUNNEL(id) of model/kinds.def, passed by the Makefile. */
#define TUNNEL(id) extern const struct tunnel_kind tunnel_##id;
TUNNELS
#undef TUNNEL

#define TUNNEL(id) &tunnel_##id,
static const struct tunnel_kind *const kinds[] = {&tunnel_direct, TUNNELS};

/* A dial that uses a socket pair: the tunnel gets `ours`. */
struct pair {
    struct handoff handoff;
    struct dial *dial; /* NULL: the other descriptor was given to the caller */
    int other;
};

static const struct tunnel_kind *kind;

static const struct tunnel_kind *tunnel_find(const char *type)
{
    for (size_t i = 0; type && i < ARRAY_LEN(kinds); i++) {
        if (text_equal(kinds[i]->name, type))
            return kinds[i];
    }
    return NULL;
}

void tunnel_open(const struct target *target, void (*opened)(const struct err *e))
{
    const char *type = target_key(target, "type");
    struct err e = ERR_INIT;

    kind = tunnel_find(type);
    if (kind) {
        kind->open(target, opened);
        return;
    }
    (void)err_set(&e, ERR_CONFIG, "this version does not support tunnels of type %s", type);
    opened(&e);
}

static void pair_ended(struct handoff *j)
{
    free(OWNER_OF(j, struct pair, handoff));
}

static void pair_taken(struct handoff *j, const struct err *e)
{
    struct pair *p = OWNER_OF(j, struct pair, handoff);
    struct dial *d = p->dial;
    int other = p->other;

    d->state = NULL;
    p->dial = NULL;
    if (e) {
        (void)close(j->fd);
        (void)close(other);
        free(p);
    }
    d->done(d, e ? -1 : other, e);
}

static void dial_by_handoff(struct dial *d)
{
    struct pair *p = mem_alloc(1, sizeof *p);
    struct err e = ERR_INIT;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        free(p);
        (void)err_set(&e, ERR_TRY_LATER, "cannot create a socket: %s", strerror(errno));
        d->done(d, -1, &e);
        return;
    }
    *p = (struct pair){
        .handoff = {.fd = ends[0], .taken = pair_taken, .ended = pair_ended}, .dial = d, .other = ends[1]};
    d->state = p;
    kind->handoff(&p->handoff);
}

void tunnel_dial(struct dial *d)
{
    if (kind->dial)
        kind->dial(d);
    else
        dial_by_handoff(d);
}

void tunnel_undial(struct dial *d)
{
    struct pair *p = d->state;

    if (kind->undial) {
        kind->undial(d);
        return;
    }
    if (!p)
        return;
    d->state = NULL;
    kind->cancel(&p->handoff);
    (void)close(p->handoff.fd);
    (void)close(p->other);
    free(p);
}

bool tunnel_hands_off(void)
{
    return kind->handoff;
}

void tunnel_handoff(struct handoff *j)
{
    kind->handoff(j);
}

void tunnel_cancel(struct handoff *j)
{
    kind->cancel(j);
}

bool tunnel_heard(struct handoff *j)
{
    return kind->heard(j);
}

bool tunnel_is_up(void)
{
    return !kind || !kind->is_up || kind->is_up();
}

void tunnel_describe(struct buf *out)
{
    if (kind)
        kind->describe(out);
}

void tunnel_close(void)
{
    if (kind && kind->close)
        kind->close();
}
