/* SPDX-License-Identifier: MIT */
/* File descriptors: write and read everything, connect to a unix socket, create pipes. */
#include <base/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <base/mem.h>

int fd_read_all(int fd, struct buf *out, struct err *e)
{
    for (;;) {
        char bytes[4096];
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            buf_add(out, bytes, (size_t)n);
        explicit_bzero(bytes, sizeof bytes);
        if (n == 0)
            return 0;
        if (n < 0)
            return err_set(e, ERR_IO, "%s", strerror(errno));
        if (!buf_ok(out))
            return err_set(e, ERR_DATA, "over %zu bytes", out->max);
    }
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n > 0) {
        ssize_t wrote = write(fd, at, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return -1;
        at += wrote;
        n -= (size_t)wrote;
    }
    return 0;
}

int fd_connect_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    AUTO_FD(fd);

    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) < 0)
        return -1;
    return fd_take(&fd);
}

int fd_pipe(int fds[2], struct err *e)
{
    return pipe2(fds, O_CLOEXEC) < 0 ? err_set(e, ERR_IO, "cannot create a pipe: %s", strerror(errno)) : 0;
}
