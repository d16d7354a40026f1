/* The child writes one answer of fixed size into a pipe, at once, and ends. Nothing is cached but for the
 * second in which many connections come together: the system has its own cache. */
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>
#include <event/child.h>
#include <event/loop.h>

#define FRESH_MS 1000

/* What goes through the pipe: less than PIPE_BUF, so that it comes whole or not at all. */
struct answer {
    int failed;
    struct addresses found;
};

struct lookup {
    char *host;
    pid_t pid; /* 0: ended */
    struct watch from;
    struct timer later; /* to call back, then to be forgotten */
    int64_t fresh;      /* until when it answers others, once ended */
    struct answer answer;
    struct resolve *waiting;
    struct lookup *next;
};
static struct lookup *lookups;

/* The first of the other family than the one before, if there is one left. */
static void addresses_alternate(struct addresses *list)
{
    for (unsigned i = 1; i < list->count; i++) {
        unsigned other = i;
        while (other < list->count && list->at[other].any.sa_family == list->at[i - 1].any.sa_family)
            other++;
        if (other == i || other == list->count)
            continue;
        struct address moved = list->at[other];
        memmove(&list->at[i + 1], &list->at[i], (other - i) * sizeof moved);
        list->at[i] = moved;
    }
}

static int ask_system(const char *host, int flags, struct addresses *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &list);

    out->count = 0;
    if (failed)
        return failed;
    for (const struct addrinfo *a = list; a && out->count < ADDRESSES_MOST; a = a->ai_next) {
        if ((a->ai_family == AF_INET || a->ai_family == AF_INET6) && a->ai_addrlen <= sizeof out->at[0])
            memcpy(&out->at[out->count++], a->ai_addr, a->ai_addrlen);
    }
    freeaddrinfo(list);
    addresses_alternate(out);
    return out->count ? 0 : EAI_NONAME;
}

bool resolve_number(const char *host, struct addresses *out)
{
    return ask_system(host, AI_NUMERICHOST, out) == 0;
}

/* In the child. */
static void look_up(const void *host, int to)
{
    struct answer answer;

    memset(&answer, 0, sizeof answer);
    answer.failed = ask_system(host, AI_ADDRCONFIG, &answer.found);
    (void)!write(to, &answer, sizeof answer);
}

static void lookup_free(struct lookup *l)
{
    struct lookup **at = &lookups;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    timer_clear(&l->later);
    free(l->host);
    free(l);
}

static void lookup_stop(struct lookup *l)
{
    int fd = l->from.fd;

    loop_forget(&l->from);
    if (fd >= 0)
        (void)close(fd);
    if (l->pid > 0) {
        (void)kill(l->pid, SIGKILL);
        (void)waitpid(l->pid, NULL, 0);
    }
    l->pid = 0;
}

static void lookup_expire(struct timer *t)
{
    lookup_free(OWNER_OF(t, struct lookup, later));
}

/* A callback may add and cancel others. */
static void lookup_tell(struct timer *t)
{
    struct lookup *l = OWNER_OF(t, struct lookup, later);
    struct resolve *r;

    timer_set(t, l->fresh, lookup_expire);
    while ((r = l->waiting)) {
        l->waiting = r->next;
        r->lookup = NULL;
        r->done(r, &l->answer.found, l->answer.failed);
    }
}

static void lookup_answered(struct watch *w, unsigned events)
{
    struct lookup *l = OWNER_OF(w, struct lookup, from);
    ssize_t n = read(w->fd, &l->answer, sizeof l->answer);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != sizeof l->answer || l->answer.found.count > ADDRESSES_MOST)
        l->answer = (struct answer){.failed = EAI_FAIL};
    l->fresh = clock_ms() + FRESH_MS;
    lookup_stop(l);
    lookup_tell(&l->later);
}

static struct lookup *lookup_start(const char *host)
{
    struct lookup *l = mem_alloc(1, sizeof *l);
    struct err ignored = ERR_INIT;
    int from = -1;

    l->host = mem_strdup(host);
    l->from.fd = -1;
    l->next = lookups;
    lookups = l;
    if (child_fork(look_up, l->host, &l->pid, &from, &ignored) == 0)
        loop_watch(&l->from, from, LOOP_READ, lookup_answered);
    else
        l->answer.failed = EAI_SYSTEM;
    return l;
}

void resolve_start(struct resolve *r, const char *host,
                   void (*done)(struct resolve *r, const struct addresses *found, int failed))
{
    struct lookup *l = lookups;

    while (l && (!text_equal(l->host, host) || (l->pid == 0 && l->fresh <= clock_ms())))
        l = l->next;
    if (!l)
        l = lookup_start(host);
    r->done = done;
    r->lookup = l;
    r->next = l->waiting;
    l->waiting = r;
    if (l->pid == 0)
        timer_set(&l->later, clock_ms(), lookup_tell);
}

void resolve_cancel(struct resolve *r)
{
    struct lookup *l = r->lookup;
    struct resolve **at;

    if (!l)
        return;
    r->lookup = NULL;
    for (at = &l->waiting; *at != r; at = &(*at)->next)
        ;
    *at = r->next;
    if (l->waiting || l->pid == 0)
        return;
    lookup_stop(l);
    lookup_free(l);
}
