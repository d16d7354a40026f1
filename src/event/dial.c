/* SPDX-License-Identifier: MIT */
/*
 * Opens a stream with connect(2): name lookup (lookup.c), then the addresses one after another. The next one
 * is tried when the previous one has failed or 250 ms have passed; the first that answers is used.
 */
#include <event/dial.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/net_errors.h>
#include <base/resolve.h>
#include <base/text.h>
#include <event/loop.h>

#include "lookup.h"

#define HEAD_START_MS 250
/* The kernel does not wait for a unix socket whose queue is full, so it is tried again after this time. */
#define BUSY_MS 5

struct attempt {
    struct watch watch;
    struct dialling *owner;
};

struct dialling {
    char *path, *host; /* either path or host is set */
    unsigned port;
    int64_t began, deadline;
    void (*done)(void *context, int fd, const struct err *e);
    void *context;
    struct resolve name;
    struct addresses found;
    struct attempt attempt[ADDRESSES_MOST];
    unsigned next, open; /* index of the next address; number of running attempts */
    struct timer step;   /* starts the next attempt, or reports the result */
    struct timer late;
    int fd;                 /* the connected descriptor */
    int unresolved, failed; /* unresolved: error of getaddrinfo(3); failed: errno */
};

static void name_put(const struct dialling *d, struct buf *out)
{
    if (d->path)
        buf_puts(out, d->path);
    else
        text_address(out, d->host, d->port);
}

/* Shows the number that the user has set, without the time before the clock was read. */
static void timeout_put(const struct dialling *d, struct buf *out)
{
    clock_format_duration(out, (d->deadline - d->began + 99) / 100 * 100);
}

static void explain(const struct dialling *d, struct err *e)
{
    AUTO_BUF(name, 512);
    AUTO_BUF(time, 32);

    name_put(d, &name);
    timeout_put(d, &time);
    if (d->unresolved) {
        struct net_error why = net_unresolved(d->unresolved);
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2005, "%s: %s", d->host, why.words);
        (void)err_hint(e, "%s", why.hint);
    } else if (d->failed) {
        struct net_error why = net_refused(d->failed);
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2003, "%s: %s", buf_str(&name), why.words);
        (void)err_hint(e, "%s", why.hint);
    } else if (d->name.lookup) {
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2005, "%s: no answer from the DNS server within %s",
                               d->host, buf_str(&time));
        (void)err_hint(e, "check the network, or raise connect_timeout");
    } else {
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2013, "%s: no answer within %s", buf_str(&name),
                               buf_str(&time));
        (void)err_hint(e, "check port and firewall, or raise connect_timeout");
    }
}

static void attempt_close(struct attempt *a)
{
    if (a->watch.fd >= 0)
        a->owner->open--;
    loop_close(&a->watch);
}

static void dialling_stop(struct dialling *d)
{
    timer_clear(&d->step);
    timer_clear(&d->late);
    for (size_t i = 0; i < ARRAY_LEN(d->attempt); i++)
        attempt_close(&d->attempt[i]);
}

static void dialling_free(struct dialling *d)
{
    resolve_cancel(&d->name);
    free(d->path);
    free(d->host);
    free(d);
}

static void dialling_end(struct timer *t)
{
    struct dialling *d = OWNER_OF(t, struct dialling, step);
    struct err e = ERR_INIT;

    dialling_stop(d);
    if (d->fd < 0)
        explain(d, &e);
    d->done(d->context, d->fd, d->fd < 0 ? &e : NULL);
    dialling_free(d);
}

static void dialling_late(struct timer *t)
{
    struct dialling *d = OWNER_OF(t, struct dialling, late);

    d->failed = 0;
    dialling_end(&d->step);
}

/* Not called in dial_start(), because the caller would get the handle of a dial that has ended. */
static void end_soon(struct dialling *d)
{
    timer_set(&d->step, clock_ms(), dialling_end);
}

/* Keeps the most useful reason: "no route" for one address is less useful than "refused" for another. */
static void keep_reason(struct dialling *d, int failed)
{
    bool weak = d->failed == ENETUNREACH || d->failed == EHOSTUNREACH || d->failed == EADDRNOTAVAIL;

    if (d->failed == 0 || weak || failed == ECONNREFUSED)
        d->failed = failed;
}

static void attempt_next(struct timer *t);

static void attempt_won(struct dialling *d, int fd)
{
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    /* Keepalive, as in MySQL's clients, to notice a server that disappeared. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
    d->fd = fd;
    end_soon(d);
}

/* A connect to an ephemeral port without a listener can connect to itself (TCP's simultaneous open), and a
 * tunnel program's port is ephemeral. */
static bool is_itself(int fd)
{
    struct sockaddr_storage us = {0}, them = {0};
    socklen_t n = sizeof us, m = sizeof them;

    return getsockname(fd, (struct sockaddr *)&us, &n) == 0 &&
           getpeername(fd, (struct sockaddr *)&them, &m) == 0 && n == m && memcmp(&us, &them, n) == 0;
}

static void attempt_ready(struct watch *w, unsigned events)
{
    struct attempt *a = OWNER_OF(w, struct attempt, watch);
    struct dialling *d = a->owner;
    int failed = 0, fd = w->fd;
    socklen_t n = sizeof failed;

    (void)events;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) < 0)
        failed = errno;
    if (failed == 0 && is_itself(fd))
        failed = ECONNREFUSED;
    if (failed) {
        keep_reason(d, failed);
        attempt_close(a);
        if (d->fd < 0)
            attempt_next(&d->step);
        return;
    }
    loop_forget(w);
    d->open--;
    if (d->fd >= 0)
        (void)close(fd);
    else
        attempt_won(d, fd);
}

/* Returns 1 if the attempt is in progress, 0 if connected, -1 on failure. */
static int attempt_start(struct dialling *d, struct attempt *a, struct address *to)
{
    socklen_t size = to->any.sa_family == AF_INET6 ? sizeof to->v6 : sizeof to->v4;
    AUTO_FD(fd);

    if (to->any.sa_family == AF_INET6)
        to->v6.sin6_port = htons((uint16_t)d->port);
    else
        to->v4.sin_port = htons((uint16_t)d->port);
    fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, &to->any, size) < 0 && errno != EINPROGRESS)) {
        keep_reason(d, errno);
        return -1;
    }
    a->owner = d;
    d->open++;
    loop_watch(&a->watch, fd_take(&fd), LOOP_WRITE, attempt_ready);
    return 1;
}

static void attempt_next(struct timer *t)
{
    struct dialling *d = OWNER_OF(t, struct dialling, step);

    timer_clear(t);
    while (d->next < d->found.count) {
        unsigned i = d->next++;
        if (attempt_start(d, &d->attempt[i], &d->found.at[i]) < 0)
            continue;
        if (d->next < d->found.count)
            timer_set(t, clock_ms() + HEAD_START_MS, attempt_next);
        return;
    }
    if (d->open == 0)
        end_soon(d);
}

static void name_found(struct resolve *r, const struct addresses *found, int failed)
{
    struct dialling *d = OWNER_OF(r, struct dialling, name);

    d->unresolved = failed;
    if (failed) {
        end_soon(d);
        return;
    }
    d->found = *found;
    attempt_next(&d->step);
}

static void dial_path(struct timer *t)
{
    struct dialling *d = OWNER_OF(t, struct dialling, step);

    d->fd = fd_connect_unix(d->path);
    d->failed = d->fd < 0 ? errno : 0;
    if (d->failed == EAGAIN)
        timer_set(t, clock_ms() + BUSY_MS, dial_path);
    else
        end_soon(d);
}

struct dialling *dial_start(const char *path, const char *host, unsigned port, int64_t deadline,
                            void (*done)(void *context, int fd, const struct err *e), void *context)
{
    struct dialling *d = mem_alloc(1, sizeof *d);

    *d = (struct dialling){.path = mem_strdup(path),
                           .host = path ? NULL : mem_strdup(host),
                           .port = port,
                           .began = clock_ms(),
                           .deadline = deadline,
                           .done = done,
                           .context = context,
                           .fd = -1};
    for (size_t i = 0; i < ARRAY_LEN(d->attempt); i++)
        d->attempt[i].watch.fd = -1;
    if (deadline != CLOCK_NEVER)
        timer_set(&d->late, deadline, dialling_late);
    if (path)
        dial_path(&d->step);
    else if (resolve_number(host, &d->found))
        attempt_next(&d->step);
    else
        resolve_start(&d->name, host, name_found);
    return d;
}

void dial_cancel(struct dialling *d)
{
    if (!d)
        return;
    dialling_stop(d);
    if (d->fd >= 0)
        (void)close(d->fd);
    dialling_free(d);
}
