/* SPDX-License-Identifier: MIT */
/* Linux: memfd_create(2) and pre-filled pipes. A port to a system without memfd adds a file next to this one.
 * */
#include <base/memfd.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

/* The mode is changed to 0600 because a new memfd has mode 0777, and the MySQL clients ignore an option file
 * that others can write. */
int memfd_from_secret(const struct secret *s, struct err *e)
{
    AUTO_FD(fd);

    fd = memfd_create("broker", MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) < 0 || fd_write_all(fd, secret_bytes(s), secret_len(s)) < 0 ||
        lseek(fd, 0, SEEK_SET) < 0)
        return err_set(e, ERR_IO, "cannot create a memory file: %s", strerror(errno));
    return fd_take(&fd);
}

int pipe_from_secret(const struct secret *s, struct err *e)
{
    int fds[2];

    if (fd_pipe(fds, e) < 0)
        return -1;
    ssize_t n = fcntl(fds[1], F_SETFL, O_NONBLOCK) < 0 ? -1 : write(fds[1], secret_bytes(s), secret_len(s));
    (void)close(fds[1]);
    if (n >= 0 && (size_t)n == secret_len(s))
        return fds[0];
    (void)close(fds[0]);
    return memfd_from_secret(s, e);
}
