/* SO_PEERCRED, unix(7). */
#include "peer.h"

#include <sys/socket.h>
#include <unistd.h>

bool peer_is_us(int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == geteuid();
}

pid_t peer_pid(int fd)
{
    struct ucred who;
    socklen_t n = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 ? who.pid : -1;
}
