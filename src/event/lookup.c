/* SPDX-License-Identifier: MIT */
/* Results are kept only for a second, in which many connections may come together: the system has its own
 * cache. */
#include "lookup.h"

#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>
#include <event/loop.h>

#define FRESH_MS 1000

struct lookup {
    char *host;
    struct resolver resolver;
    struct watch from;
    struct timer later; /* calls the requests' done() */
    int64_t fresh;      /* until when the result is used for new requests */
    int failed;
    struct addresses found;
    LIST_HEAD(, resolve) waiting;
    LIST_ENTRY(lookup) next;
};
static LIST_HEAD(, lookup) lookups = LIST_HEAD_INITIALIZER(lookups);

static void lookup_free(struct lookup *l)
{
    LIST_REMOVE(l, next);
    timer_clear(&l->later);
    free(l->host);
    free(l);
}

static void lookup_stop(struct lookup *l)
{
    loop_forget(&l->from);
    resolver_stop(&l->resolver);
}

static void lookup_expire(struct timer *t)
{
    lookup_free(OWNER_OF(t, struct lookup, later));
}

/* A callback may add and cancel other requests. */
static void lookup_tell(struct timer *t)
{
    struct lookup *l = OWNER_OF(t, struct lookup, later);
    struct resolve *r;

    timer_set(t, l->fresh, lookup_expire);
    while ((r = LIST_FIRST(&l->waiting))) {
        LIST_REMOVE(r, next);
        r->lookup = NULL;
        r->done(r, &l->found, l->failed);
    }
}

static void lookup_answered(struct watch *w, unsigned events)
{
    struct lookup *l = OWNER_OF(w, struct lookup, from);

    (void)events;
    l->failed = resolver_read(&l->resolver, &l->found);
    l->fresh = clock_ms() + FRESH_MS;
    lookup_stop(l);
    lookup_tell(&l->later);
}

static struct lookup *lookup_start(const char *host)
{
    struct lookup *l = mem_alloc(1, sizeof *l);
    struct err ignored = ERR_INIT;

    l->host = mem_strdup(host);
    l->from.fd = -1;
    LIST_INSERT_HEAD(&lookups, l, next);
    if (resolver_start(&l->resolver, host, &ignored) == 0)
        loop_watch(&l->from, l->resolver.from, LOOP_READ, lookup_answered);
    else
        l->failed = EAI_SYSTEM;
    return l;
}

void resolve_start(struct resolve *r, const char *host,
                   void (*done)(struct resolve *r, const struct addresses *found, int failed))
{
    struct lookup *l;

    LIST_FOREACH(l, &lookups, next)
    {
        if (text_equal(l->host, host) && (l->resolver.pid || l->fresh > clock_ms()))
            break;
    }
    if (!l)
        l = lookup_start(host);
    r->done = done;
    r->lookup = l;
    LIST_INSERT_HEAD(&l->waiting, r, next);
    if (l->resolver.pid == 0)
        timer_set(&l->later, clock_ms(), lookup_tell);
}

void resolve_cancel(struct resolve *r)
{
    struct lookup *l = r->lookup;

    if (!l)
        return;
    r->lookup = NULL;
    LIST_REMOVE(r, next);
    if (!LIST_EMPTY(&l->waiting) || l->resolver.pid == 0)
        return;
    lookup_stop(l);
    lookup_free(l);
}
