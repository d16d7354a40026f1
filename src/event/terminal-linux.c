/* SPDX-License-Identifier: MIT */
/* Opens the other side through the descriptor, so that it does not matter what is mounted at /dev/pts. */
#include <event/terminal.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <event/loop.h>

static struct watch master = {.fd = -1};
static int given = -1, end = -1;

void terminal_take(int fd)
{
    end = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (end < 0)
        return;
    given = fd;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int terminal_for_child(void)
{
    return master.fd < 0 ? end : -1;
}

/* Reads and drops what programs write; otherwise their writes would block forever. */
static void drop(struct watch *w, unsigned events)
{
    char chunk[4096];

    (void)events;
    if (read(w->fd, chunk, sizeof chunk) == 0)
        loop_forget(w);
}

void terminal_silence(void)
{
    if (given >= 0)
        loop_watch(&master, given, LOOP_READ, drop);
}
