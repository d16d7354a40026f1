/* SPDX-License-Identifier: MIT */
/* Which user is at the other end of a TCP connection on this machine. The result must be the same with
 * sock_diag and with the table in /proc, which is read if sock_diag is not available. */
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

static const struct address_pair {
    const char *listens, *dials;
} address_pairs[] = {
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

/* Checks that both lookups find the socket, with these properties. */
static void expect_found(const struct tcp_end *local, const struct tcp_end *remote, bool listens,
                         bool is_open)
{
    bool (*const lookups[])(const struct tcp_end *, const struct tcp_end *,
                            struct tcp_socket *) = {tcp_find, tcp_table_find};

    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        struct tcp_socket s = {0};
        assert_true(lookups[i](local, remote, &s));
        assert_int_equal(s.listens, listens);
        assert_int_equal(s.is_open, is_open);
        assert_int_equal(s.uid, geteuid());
    }
}

static void expect_not_found(const struct tcp_end *local, const struct tcp_end *remote)
{
    struct tcp_socket s;

    assert_false(tcp_find(local, remote, &s));
    assert_false(tcp_table_find(local, remote, &s));
}

static void check_pair(const struct address_pair *w)
{
    AUTO_FD(listener);
    AUTO_FD(ours);
    AUTO_FD(theirs);
    unsigned uid = 1;

    listener = listen_at(w->listens);
    struct tcp_end listens = end_of(listener, getsockname);
    ours = dial_to(w->dials, listens.port);
    struct tcp_end here = end_of(ours, getsockname), there = end_of(ours, getpeername);
    expect_found(&there, NULL, true, true);
    theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(theirs >= 0);
    expect_found(&there, &here, false, true);
    expect_found(&here, &there, false, true);
    assert_true(peer_is_us(theirs));
    assert_true(peer_is_us(ours));
    assert_false(peer_is_other_user(ours, &uid));
    fd_close_cleanup(&listener);
    expect_not_found(&there, NULL);
    expect_found(&there, &here, false, true);
    fd_close_cleanup(&ours);
    assert_false(peer_is_us(theirs)); /* the closed socket is listed with uid 0 */
}

static void each_address_pair(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(address_pairs); i++)
        check_pair(&address_pairs[i]);
}

/* Without sock_diag the table is read. This runs in a child process, because the filter cannot be removed. */
static void without_sock_diag(void **state)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        assert_int_equal(forbid_family(AF_NETLINK, EPERM), 0);
        each_address_pair(state);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_sock_diag),
                                       cmocka_unit_test(each_address_pair)};

    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
