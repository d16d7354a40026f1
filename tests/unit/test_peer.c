/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a TCP connection of this machine: what sock_diag says, and what the table says
 * where it cannot be asked, are the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/peer.h>
#include <base/tcp_table.h>

#include "forbid_family.h"

static const struct way {
    const char *listens, *dials;
} ways[] = {
    {"127.0.0.1", "127.0.0.1"},
    {"0.0.0.0", "127.0.0.1"},
    {"127.0.0.1", "::ffff:127.0.0.1"},
    {"0.0.0.0", "::ffff:127.0.0.1"},
    {"::", "127.0.0.1"},
    {"::", "::ffff:127.0.0.1"},
    {"::1", "::1"},
    {"::", "::1"},
};

static struct sockaddr_storage address(const char *host, unsigned port, socklen_t *n)
{
    struct sockaddr_storage at = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at;

    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *n = sizeof *v4;
    } else {
        assert_int_equal(inet_pton(AF_INET6, host, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *n = sizeof *v6;
    }
    return at;
}

static struct tcp_end end_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    struct tcp_end end;

    assert_int_equal(get(fd, (struct sockaddr *)&at, &n), 0);
    assert_true(tcp_end_take(&at, &end));
    return end;
}

static int listen_at(const char *host)
{
    socklen_t n;
    struct sockaddr_storage at = address(host, 0, &n);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int dial_to(const char *host, unsigned port)
{
    socklen_t n;
    struct sockaddr_storage at = address(host, port, &n);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, n), 0);
    return fd;
}

/* Both ways to know it; the socket must be as said. */
static void finds(const struct tcp_end *local, const struct tcp_end *remote, bool listens, bool is_open)
{
    bool (*const ways_to_know[])(const struct tcp_end *, const struct tcp_end *,
                                 struct tcp_socket *) = {tcp_find, tcp_table_find};

    for (size_t i = 0; i < ARRAY_LEN(ways_to_know); i++) {
        struct tcp_socket s = {0};
        assert_true(ways_to_know[i](local, remote, &s));
        assert_int_equal(s.listens, listens);
        assert_int_equal(s.is_open, is_open);
        assert_int_equal(s.uid, geteuid());
    }
}

static void finds_nobody(const struct tcp_end *local, const struct tcp_end *remote)
{
    struct tcp_socket s;

    assert_false(tcp_find(local, remote, &s));
    assert_false(tcp_table_find(local, remote, &s));
}

static void walk_way(const struct way *w)
{
    AUTO_FD(door);
    AUTO_FD(ours);
    AUTO_FD(theirs);
    unsigned uid = 1;

    door = listen_at(w->listens);
    struct tcp_end listens = end_of(door, getsockname);
    ours = dial_to(w->dials, listens.port);
    struct tcp_end here = end_of(ours, getsockname), there = end_of(ours, getpeername);
    finds(&there, NULL, true, true);
    theirs = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    assert_true(theirs >= 0);
    finds(&there, &here, false, true);
    finds(&here, &there, false, true);
    assert_true(peer_is_us(theirs));
    assert_true(peer_is_us(ours));
    assert_false(peer_is_stranger(ours, &uid));
    fd_close_cleanup(&door);
    finds_nobody(&there, NULL);
    finds(&there, &here, false, true);
    fd_close_cleanup(&ours);
    assert_false(peer_is_us(theirs)); /* it has gone, and shows as root's */
}

static void each_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        walk_way(&ways[i]);
}

/* A system where sock_diag cannot be asked: the table is read. In a process of its own, the filter stays. */
static void without_diag(void **state)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        assert_int_equal(forbid_family(AF_NETLINK, EPERM), 0);
        each_way(state);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_diag), cmocka_unit_test(each_way)};

    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
