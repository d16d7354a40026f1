/* SPDX-License-Identifier: MIT */
/* A unix socket never replaces an existing file: the caller must have removed stale sockets. */
#include <event/listen.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <event/guard.h>

#define PAUSE_MS 100

int listen_unix(const char *path, struct err *e)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    AUTO_FD(fd);

    if (strlen(path) > SOCKET_PATH_MOST) {
        (void)err_set(e, ERR_CONFIG, "%s: too long for a unix socket, which may have %d bytes", path,
                      SOCKET_PATH_MOST);
        return err_hint(e, "use a shorter path; the runtime folder is $XDG_RUNTIME_DIR or TMPDIR");
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    /* Registered before it exists, because the keeper may be killed at any moment. */
    bool ours = lstat(path, &st) < 0;
    if (ours)
        guard_owns_path(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
        bool there = errno == EADDRINUSE;
        (void)err_set(e, ERR_UNREACHABLE, "%s: %s", path, there ? "it exists already" : strerror(errno));
        if (ours)
            guard_disowns_path(path);
        return err_hint(e, there
                               ? "use another path, or remove it"
                               : "check that its folder exists and is yours, and that the disk is not full");
    }
    guard_owns_path(path);
    if (chmod(path, 0600) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    return fd_take(&fd);
}

static void pause_over(struct timer *t)
{
    loop_want(OWNER_OF(t, struct pause, timer)->watch, LOOP_READ);
}

void listen_pause(struct pause *p, struct watch *w)
{
    p->watch = w;
    loop_want(w, 0);
    timer_set(&p->timer, clock_ms() + PAUSE_MS, pause_over);
}
