/*
 * Name resolution has no deadline and cannot be interrupted, so it runs in a child process that is killed at
 * the deadline. The child sends back one line: the error, or nothing.
 */
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/tty.h>

#include "sockets.h"

static const char *resolve_reason(int failed)
{
    switch (failed) {
    case EAI_NONAME:
    case EAI_NODATA:
        return "no such host";
    case EAI_AGAIN:
        return "the name server does not answer";
    default:
        return gai_strerror(failed);
    }
}

static const char *dial_reason(int failed)
{
    switch (failed) {
    case ECONNREFUSED:
        return "connection refused";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "no route to it";
    case ETIMEDOUT:
        return "no answer";
    case ENOENT:
        return "no such file";
    case EACCES:
        return "permission denied";
    default:
        return strerror(failed);
    }
}

static const char *dial_all(const struct addrinfo *list)
{
    const char *reason = "no address";

    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        AUTO_FD(fd);
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            return NULL;
        reason = dial_reason(errno);
    }
    return reason;
}

/* Runs in the child. NULL: success. */
static const char *walk(const struct connection *c, bool dial)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    char port[16];

    (void)snprintf(port, sizeof port, "%u", c->port);
    int failed = getaddrinfo(c->host, port, &hints, &list);
    if (failed)
        return resolve_reason(failed);
    const char *reason = dial ? dial_all(list) : NULL;
    freeaddrinfo(list);
    return reason;
}

static int read_answer(int fd, pid_t pid, int64_t deadline, char *reason, size_t size)
{
    ssize_t n = 0;

    if (!tty_wait_readable(fd, "the name server", deadline))
        (void)snprintf(reason, size, "no answer in time");
    else if ((n = read(fd, reason, size - 1)) >= 0)
        reason[n] = '\0';
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return reason[0] ? -1 : 0;
}

int way_walk(const struct connection *c, bool dial, int64_t deadline, struct err *e)
{
    char reason[256] = "";
    int fds[2];

    if (c->socket) {
        int failed = dial ? socket_try(c->socket) : 0;
        return failed ? err_set(e, ERR_UNREACHABLE, "%s", dial_reason(failed)) : 0;
    }
    if (fd_pipe(fds, e) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        const char *why = walk(c, dial);
        if (why)
            (void)!write(fds[1], why, strlen(why));
        _exit(0);
    }
    (void)close(fds[1]);
    int result = pid < 0 ? -1 : read_answer(fds[0], pid, deadline, reason, sizeof reason);
    (void)close(fds[0]);
    return result < 0 ? err_set(e, ERR_UNREACHABLE, "%s", reason[0] ? reason : strerror(errno)) : 0;
}
