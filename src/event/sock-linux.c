/* SPDX-License-Identifier: MIT */
/* TCP options and clocks that only Linux has. They are optional improvements, so failures are ignored. */
#include <event/sock.h>

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

#include <base/clock.h>

void sock_acknowledge(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void sock_give_up_after(int fd, int64_t ms)
{
    const unsigned patience = (unsigned)ms;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
}

bool sock_has_sent(int fd)
{
    struct tcp_info info;
    socklen_t n = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0 ||
        n < offsetof(struct tcp_info, tcpi_data_segs_out) + sizeof info.tcpi_data_segs_out)
        return true;
    return info.tcpi_data_segs_out > 0;
}

int64_t clock_slept_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - clock_ms();
}
