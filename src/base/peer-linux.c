/* SPDX-License-Identifier: MIT */
/* Linux: SO_PEERCRED (unix(7)) for unix sockets. TCP has no such option, so the owner of the peer's socket is
 * looked up in the kernel's table. */
#include <base/peer.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/tcp_table.h>

static bool ends_of(int fd, struct tcp_end *here, struct tcp_end *there)
{
    struct sockaddr_storage us, them;
    socklen_t us_len = sizeof us, them_len = sizeof them;

    return getsockname(fd, (struct sockaddr *)&us, &us_len) == 0 &&
           getpeername(fd, (struct sockaddr *)&them, &them_len) == 0 && tcp_end_take(&us, here) &&
           tcp_end_take(&them, there);
}

/* A closed socket is listed with uid 0, so only open sockets count. */
static bool tcp_is_us(int fd)
{
    struct tcp_end here, there;
    struct tcp_socket s;

    return ends_of(fd, &here, &there) && tcp_find(&there, &here, &s) && !s.listens && s.is_open &&
           s.uid == geteuid();
}

static bool is_loopback(const struct in6_addr *at)
{
    return IN6_IS_ADDR_LOOPBACK(at) || (IN6_IS_ADDR_V4MAPPED(at) && at->s6_addr[12] == IN_LOOPBACKNET);
}

bool peer_is_local(int fd)
{
    struct sockaddr_storage us;
    socklen_t n = sizeof us;
    struct tcp_end here;

    return getsockname(fd, (struct sockaddr *)&us, &n) == 0 && tcp_end_take(&us, &here) &&
           is_loopback(&here.at);
}

static bool is_strange(const struct tcp_socket *s, unsigned *uid)
{
    *uid = s->uid;
    return s->uid != geteuid() && s->uid != 0;
}

/* The listener's owner is checked first, because a root service may hand its connections to an unprivileged
 * user. If the listener has been closed since, the owner of the accepted connection counts. */
bool peer_is_other_user(int fd, unsigned *uid)
{
    struct tcp_end here, there;
    struct tcp_socket s;

    if (!ends_of(fd, &here, &there) || !is_loopback(&there.at))
        return false;
    if (tcp_find(&there, NULL, &s) && (is_strange(&s, uid) || s.uid == 0))
        return is_strange(&s, uid);
    return tcp_find(&there, &here, &s) && !s.listens && s.is_open && is_strange(&s, uid);
}

int peer_of_socket(int fd, uid_t *uid, pid_t *pid)
{
    struct ucred who;
    socklen_t n = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
        return -1;
    *uid = who.uid;
    *pid = who.pid;
    return 0;
}

bool peer_is_us(int fd)
{
    int domain = 0;
    socklen_t n = sizeof domain;
    uid_t uid;
    pid_t pid;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0)
        return false;
    if (domain != AF_UNIX)
        return tcp_is_us(fd);
    return peer_of_socket(fd, &uid, &pid) == 0 && uid == geteuid();
}
