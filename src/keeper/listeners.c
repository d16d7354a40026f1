/* SPDX-License-Identifier: MIT */
/* Listens at the local addresses. If no descriptor is left, accepting pauses briefly so that the keeper does
 * not use all CPU time. */
#include "listeners.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/peer.h>
#include <event/guard.h>
#include <event/listen.h>

#include "conn.h"
#include "options.h"

#define AT_ONCE 64
/* How many free ports of 127.0.0.1 are tried until the same port of ::1 is free. */
#define PORTS_TRIED 64

/* A listener with one address; KEEPER_LOCALHOST needs two of them. */
static struct listener {
    struct watch watch;
    struct pause pause;
    unsigned number; /* index in opt.listener */
    bool ours;       /* only for processes of the same user, whatever its kind */
} listeners[2 * LISTENERS_MOST];
static unsigned listening;

static int refused(const char *host, unsigned port, int failed, struct err *e)
{
    AUTO_BUF(address, 128);

    text_address(&address, host, port);
    if (failed == EADDRINUSE)
        (void)err_set(e, ERR_UNREACHABLE, "%s is taken", buf_str(&address));
    else
        (void)err_set(e, failed == EACCES ? ERR_REFUSED : ERR_UNREACHABLE, "%s: %s", buf_str(&address),
                      strerror(failed));
    return err_hint(e, failed == EADDRNOTAVAIL ? "use an address of this machine"
                                               : "--listen 0 takes a free port");
}

static unsigned bound_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;

    if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)&at)->sin6_port
                                          : ((const struct sockaddr_in *)(const void *)&at)->sin_port);
}

/* Returns the descriptor, or -1 with errno set. */
static int listen_tcp(const char *host, unsigned *port, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
                    *list = NULL;
    char service[16];
    int one = 1;
    AUTO_FD(fd);

    (void)snprintf(service, sizeof service, "%u", *port);
    int failed = getaddrinfo(host, service, &hints, &list);
    if (failed)
        return err_set(e, ERR_CONFIG, "%s: %s", host, gai_strerror(failed));
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        failed = errno;
    freeaddrinfo(list);
    if (failed) {
        (void)refused(host, *port, failed, e);
        errno = failed;
        return -1;
    }
    *port = bound_port(fd);
    return fd_take(&fd);
}

/* Listens on ::1 too: programs that dial localhost try it first, so another user must not be able to listen
 * there. */
static int listen_localhost(unsigned *port, int fds[2], struct err *e)
{
    bool any = *port == 0;

    for (int i = 0; i < PORTS_TRIED; i++) {
        fds[0] = listen_tcp("127.0.0.1", port, e);
        if (fds[0] < 0)
            return -1;
        fds[1] = listen_tcp("::1", port, e);
        int failed = fds[1] < 0 ? errno : 0;
        if (failed == 0 || failed == EADDRNOTAVAIL || failed == EAFNOSUPPORT) {
            err_clear(e); /* the machine has no IPv6 */
            return 0;
        }
        fd_close_cleanup(&fds[0]);
        if (!any || failed != EADDRINUSE)
            return -1;
        *port = 0;
    }
    return -1;
}

static int listen_at(struct local_address *listener, int fds[2], struct err *e)
{
    if (!listener->path && text_equal(listener->host, KEEPER_LOCALHOST))
        return listen_localhost(&listener->port, fds, e);
    fds[0] = listener->path ? listen_unix(listener->path, e) : listen_tcp(listener->host, &listener->port, e);
    return fds[0] < 0 ? -1 : 0;
}

/* To an account with auth_socket or unix_socket, whoever connects through us to the server's own socket is
 * us. An address beyond loopback was given explicitly, and is for other machines too. */
static bool is_for_us(int fd)
{
    return opt.login.own_socket && peer_is_local(fd);
}

int listeners_open(struct err *e)
{
    for (unsigned i = 0; i < opt.listeners; i++) {
        int fds[2] = {-1, -1};
        if (listen_at(&opt.listener[i], fds, e) < 0)
            return -1;
        for (int k = 0; k < 2; k++) {
            if (fds[k] >= 0)
                listeners[listening++] =
                    (struct listener){.watch.fd = fds[k], .number = i, .ours = is_for_us(fds[k])};
        }
    }
    return 0;
}

static void listener_ready(struct watch *w, unsigned events)
{
    struct listener *listener = OWNER_OF(w, struct listener, watch);
    int one = 1;

    (void)events;
    for (int i = 0; i < AT_ONCE && w->fd >= 0; i++) {
        bool by_port = opt.listener[listener->number].host;
        if (by_port && !conn_has_room(opt.listener[listener->number].kind)) {
            loop_want(w, 0);
            return;
        }
        int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            log_warn(NULL, "cannot accept: %s", strerror(errno));
            listen_pause(&listener->pause, w);
        }
        if (fd < 0)
            return;
        if (by_port)
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        conn_serve(fd, opt.listener[listener->number].kind, listener->ours);
    }
}

/* Accepts again at listeners that were full. A pause for another reason ends by itself. */
static void accept_again(void)
{
    for (unsigned i = 0; i < listening; i++) {
        if (!listeners[i].pause.timer.set)
            loop_want(&listeners[i].watch, LOOP_READ);
    }
}

void listeners_accept(void)
{
    conn_on_room = accept_again;
    for (unsigned i = 0; i < listening; i++)
        loop_watch(&listeners[i].watch, listeners[i].watch.fd, LOOP_READ, listener_ready);
}

void listeners_close(void)
{
    while (listening > 0) {
        unsigned i = --listening;
        timer_clear(&listeners[i].pause.timer);
        int fd = listeners[i].watch.fd;
        loop_forget(&listeners[i].watch);
        if (opt.listener[listeners[i].number].path)
            guard_removes_path(opt.listener[listeners[i].number].path);
        (void)close(fd);
    }
}
