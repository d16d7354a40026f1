/* SPDX-License-Identifier: MIT */
/* Checks the route to a server ourselves: resolves its name and connects to its addresses one after another.
 */
#include "walk.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/net_errors.h>
#include <base/resolve.h>
#include <base/tty.h>

#include "sockets.h"

#define LATE "no answer in time"

/* Tries to connect to one address. Returns NULL if it answers, else the reason. */
static const char *dial_one(struct address *to, unsigned port, int64_t deadline)
{
    socklen_t size = to->any.sa_family == AF_INET6 ? sizeof to->v6 : sizeof to->v4;
    int failed = 0;
    socklen_t n = sizeof failed;
    AUTO_FD(fd);

    if (to->any.sa_family == AF_INET6)
        to->v6.sin6_port = htons((uint16_t)port);
    else
        to->v4.sin_port = htons((uint16_t)port);
    fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (connect(fd, &to->any, size) < 0 && errno != EINPROGRESS))
        return net_refused(errno).words;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    while (poll(&p, 1, clock_left(deadline)) <= 0) {
        if (clock_left(deadline) == 0)
            return LATE;
    }
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n);
    /* A reset counts as an answer: a closed port gives ECONNREFUSED instead. */
    return failed && failed != ECONNRESET ? net_refused(failed).words : NULL;
}

static const char *dial_all(struct addresses *list, unsigned port, int64_t deadline)
{
    const char *reason = "no address";

    for (unsigned i = 0; reason && i < list->count; i++)
        reason = dial_one(&list->at[i], port, deadline);
    return reason;
}

static const char *resolve(const char *host, int64_t deadline, struct addresses *out)
{
    struct resolver resolver = RESOLVER_INIT;
    struct err e = ERR_INIT;
    const char *reason = NULL;

    if (resolver_start(&resolver, host, &e) < 0)
        return net_refused(errno).words;
    if (!tty_wait_readable(resolver.from, "the DNS server", deadline)) {
        reason = LATE;
    } else {
        int failed = resolver_read(&resolver, out);
        reason = failed ? net_unresolved(failed).words : NULL;
    }
    resolver_stop(&resolver);
    return reason;
}

int route_walk(const struct connection *c, bool dial, int64_t deadline, struct err *e)
{
    struct addresses found = {0};
    const char *reason = NULL;

    if (c->socket) {
        int failed = dial ? socket_try(c->socket) : 0;
        reason = failed ? net_refused(failed).words : NULL;
    } else {
        reason = resolve(c->host, deadline, &found);
        if (!reason && dial)
            reason = dial_all(&found, c->port, deadline);
    }
    return reason ? err_set(e, ERR_UNREACHABLE, "%s", reason) : 0;
}
