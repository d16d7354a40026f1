/* SO_PEERCRED, unix(7); for TCP, which has no such thing, the table of all sockets. */
#include "peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tcp_table.h"

struct search {
    struct tcp_end here, there;
};

/* A socket that was closed shows as root's. */
static bool is_other_end(const struct tcp_socket *s, void *context)
{
    const struct search *want = context;

    return s->is_open && s->uid == geteuid() && tcp_end_equal(&s->local, &want->there) &&
           tcp_end_equal(&s->remote, &want->here);
}

static bool tcp_is_us(int fd)
{
    struct sockaddr_storage here, there;
    socklen_t here_len = sizeof here, there_len = sizeof there;
    struct search want;

    return getsockname(fd, (struct sockaddr *)&here, &here_len) == 0 &&
           getpeername(fd, (struct sockaddr *)&there, &there_len) == 0 && tcp_end_take(&here, &want.here) &&
           tcp_end_take(&there, &want.there) &&
           (tcp_table_walk(false, is_other_end, &want) || tcp_table_walk(true, is_other_end, &want));
}

bool peer_is_us(int fd)
{
    struct ucred who;
    int domain = 0;
    socklen_t n = sizeof who, domain_len = sizeof domain;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) < 0)
        return false;
    if (domain != AF_UNIX)
        return tcp_is_us(fd);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == geteuid();
}

pid_t peer_pid(int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 ? who.pid : -1;
}
