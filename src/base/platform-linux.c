/* SPDX-License-Identifier: MIT */
/* Linux: process control with prctl(2), pidfds and /proc. */
#include "platform.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux before 5.9 lacks close_range(2): descriptors up to this number are closed one by one. */
#define FDS_MOST 65536

void platform_forbid_dump(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
}

void platform_end_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
}

void platform_close_from(int first)
{
    if (close_range((unsigned)first, ~0U, 0) == 0)
        return;
    for (int fd = first; fd < FDS_MOST; fd++)
        (void)close(fd);
}

/* Linux before 5.3, and some sandboxes, lack pidfd. A pipe is used instead: its write end stays open in this
 * process and is inherited. */
int platform_life(void)
{
    int ends[2], fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    if (fd >= 0)
        return fd;
    if (pipe(ends) < 0)
        return -1;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    return ends[0];
}

/* Without a pidfd this just sleeps: poll(2) ignores a descriptor of -1. */
void platform_await_end(pid_t child, int ms)
{
    struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};

    (void)poll(&p, 1, ms);
    if (p.fd >= 0)
        (void)close(p.fd);
}

void platform_confine(void)
{
    platform_close_from(3);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

int platform_self_path(char *path, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", path, size - 1);

    if (n <= 0)
        return -1;
    path[n] = '\0';
    return 0;
}
