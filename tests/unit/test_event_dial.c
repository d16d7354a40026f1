/* SPDX-License-Identifier: MIT */
/*
 * Dials and name lookups. The test defines its own getaddrinfo(3), which knows names that are slow, unknown,
 * or have the addresses that a case needs. It counts the lookups in memory shared with the lookup's process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <event/dial.h>
#include <event/loop.h>
#include <event/lookup.h>

#define LONG_MS 20000

static unsigned *lookups;

static const struct {
    const char *name, *addresses;
    int failed;
} names[] = {
    {"one.test", "127.0.0.1", 0},
    {"two.test", "127.0.0.2 127.0.0.3", 0},
    {"many.test", "::1 ::2 ::3 127.0.0.1 127.0.0.2", 0},
    {"none.test", "", EAI_NONAME},
    {"again.test", "", EAI_AGAIN},
};

static bool add_number(const char *text, struct addrinfo **list)
{
    struct address number;

    memset(&number, 0, sizeof number);
    bool v4 = inet_pton(AF_INET, text, &number.v4.sin_addr) == 1;
    if (!v4 && inet_pton(AF_INET6, text, &number.v6.sin6_addr) != 1)
        return false;
    number.any.sa_family = v4 ? AF_INET : AF_INET6;
    while (*list)
        list = &(*list)->ai_next;
    *list = mem_alloc(1, sizeof **list + sizeof number);
    **list = (struct addrinfo){.ai_family = number.any.sa_family,
                               .ai_addrlen = v4 ? sizeof number.v4 : sizeof number.v6,
                               .ai_addr = (void *)(*list + 1)};
    memcpy((*list)->ai_addr, &number, sizeof number);
    return true;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    (void)service;
    if (add_number(name, list))
        return 0;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    __atomic_add_fetch(lookups, 1, __ATOMIC_SEQ_CST);
    while (text_equal(name, "slow.test"))
        (void)pause();
    if (text_equal(name, "dies.test"))
        _exit(1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!text_equal(names[i].name, name))
            continue;
        AUTO_WORDS(words);
        struct err e = ERR_INIT;
        if (names[i].failed || text_split_words(names[i].addresses, &words, &e) < 0)
            return names[i].failed;
        for (size_t k = 0; k < words.count; k++)
            (void)add_number(words.word[k], list);
        return 0;
    }
    return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

struct call {
    int fd;
    struct err e;
    bool done, late;
    struct timer timer;
};

static unsigned pending;
static bool all_done;

static void dial_done(void *context, int fd, const struct err *e)
{
    struct call *call = context;

    assert_false(call->done);
    call->done = true;
    call->fd = fd;
    if (e)
        call->e = *e;
    if (pending && --pending == 0)
        all_done = true;
}

static void late(struct timer *t)
{
    struct call *call = OWNER_OF(t, struct call, timer);

    call->late = call->done = true;
}

static void dial(const char *path, const char *host, unsigned port, int64_t ms, struct call *call)
{
    *call = (struct call){.fd = -1};
    timer_set(&call->timer, clock_ms() + LONG_MS, late);
    (void)dial_start(path, host, port, clock_ms() + ms, dial_done, call);
    assert_false(call->done); /* done() must not be called before dial_start() returns */
    loop_until(&call->done);
    timer_clear(&call->timer);
    assert_false(call->late);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no lookup process is left */
}

/* Creates a listener; port 0 means a free one. `full`: its queue is full, so connections get no answer. */
static int listener(const char *host, unsigned *port, bool full)
{
    struct address at;
    struct addrinfo *list = NULL;
    socklen_t n = sizeof at;

    assert_true(add_number(host, &list));
    memcpy(&at, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    at.v4.sin_port = htons((uint16_t)*port); /* the port has the same offset in v4 and v6 */
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &at.any, at.any.sa_family == AF_INET ? sizeof at.v4 : sizeof at.v6) < 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    assert_int_equal(listen(fd, full ? 0 : 1024), 0);
    assert_int_equal(getsockname(fd, &at.any, &n), 0);
    *port = ntohs(at.v4.sin_port);
    for (int i = 0; full && i < 4; i++) {
        int client = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(client, &at.any, n);
    }
    return fd;
}

static void assert_connected(const struct call *call)
{
    int on = 0;
    socklen_t n = sizeof on;

    if (call->fd < 0)
        fail_msg("%s", call->e.msg);
    assert_true(fcntl(call->fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(call->fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(call->fd, IPPROTO_TCP, TCP_NODELAY, &on, &n), 0);
    assert_int_equal(on, 1);
}

static void connects(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", "one.test"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        unsigned port = 0;
        struct call call;
        AUTO_FD(server);
        server = listener(strchr(hosts[i], '.') ? "127.0.0.1" : "::1", &port, false);
        if (server < 0)
            continue; /* no IPv6 on this machine */
        dial(NULL, hosts[i], port, LONG_MS, &call);
        assert_connected(&call);
        (void)close(call.fd);
    }
}

/* The message of each kind of failure. %u is a port where no process listens, or one that does not answer. */
static void failures(void **state)
{
    static const struct {
        const char *host;
        bool full;
        int ms;
        const char *msg, *hint;
    } cases[] = {
        {"127.0.0.1", false, 10000, "2003 127.0.0.1:%u: connection refused",
         "check port and firewall; a server behind a bastion needs via"},
        {"one.test", false, 10000, "2003 one.test:%u: connection refused",
         "check port and firewall; a server behind a bastion needs via"},
        {"two.test", false, 10000, "2003 two.test:%u: connection refused",
         "check port and firewall; a server behind a bastion needs via"},
        {"127.0.0.1", true, 300, "2013 127.0.0.1:%u: no answer within 300ms",
         "check port and firewall, or raise connect_timeout"},
        {"none.test", false, 10000, "2005 none.test: no such host",
         "check host; a name that only a bastion can resolve needs via"},
        {"again.test", false, 10000, "2005 again.test: the DNS server does not answer",
         "check the network and /etc/resolv.conf"},
        {"slow.test", false, 200, "2005 slow.test: no answer from the DNS server within 200ms",
         "check the network, or raise connect_timeout"},
        {"dies.test", false, 10000, "2005 dies.test: Non-recoverable failure in name resolution",
         "check the network and /etc/resolv.conf"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned port = 0;
        struct call call;
        char msg[200];
        AUTO_FD(server);
        server = listener("127.0.0.1", &port, cases[i].full);
        if (!cases[i].full)
            fd_close_cleanup(&server);
        dial(NULL, cases[i].host, port, cases[i].ms, &call);
        assert_int_equal(call.fd, -1);
        assert_int_equal(call.e.code, ERR_UNREACHABLE);
        (void)snprintf(msg, sizeof msg, strstr(cases[i].msg, "%u") ? "%.*s%u%s" : "%.*s",
                       (int)strcspn(cases[i].msg, "%"), cases[i].msg, port,
                       strchr(cases[i].msg, '%') ? strchr(cases[i].msg, '%') + 2 : "");
        assert_string_equal(call.e.msg, msg);
        assert_string_equal(call.e.hint, cases[i].hint);
    }
}

static void unix_sockets(void **state)
{
    char folder[] = "/tmp/broker-dial-XXXXXX";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    AUTO_FREE(char *, missing);
    struct call call;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/s", folder);
    missing = mem_printf("%s/none", folder);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 0), 0);
    dial(at.sun_path, NULL, 0, LONG_MS, &call);
    assert_true(call.fd >= 0);
    assert_true(fcntl(call.fd, F_GETFL) & O_NONBLOCK);
    struct call busy; /* waits while the queue is full */
    dial(at.sun_path, NULL, 0, 100, &busy);
    assert_true(text_starts(busy.e.msg, "2013 /tmp/") && text_ends(busy.e.msg, ": no answer within 100ms"));
    (void)close(call.fd);
    (void)close(server);
    dial(at.sun_path, NULL, 0, LONG_MS, &call);
    assert_true(text_starts(call.e.msg, "2003 /tmp/") && text_ends(call.e.msg, "/s: connection refused"));
    dial(missing, NULL, 0, LONG_MS, &call);
    assert_true(text_starts(call.e.msg, "2003 /tmp/") && text_ends(call.e.msg, "/none: no such file"));
    (void)unlink(at.sun_path);
    (void)rmdir(folder);
}

/* If the first address refuses the connection or does not answer, the second one is used. */
static void second_address(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        unsigned port = 0;
        struct call call;
        struct sockaddr_in peer;
        socklen_t n = sizeof peer;
        AUTO_FD(second);
        AUTO_FD(first);
        second = listener("127.0.0.3", &port, false);
        assert_true(second >= 0);
        if (silent)
            first = listener("127.0.0.2", &port, true);
        dial(NULL, "two.test", port, LONG_MS, &call);
        assert_connected(&call);
        assert_int_equal(getpeername(call.fd, (struct sockaddr *)&peer, &n), 0);
        assert_int_equal(ntohl(peer.sin_addr.s_addr), 0x7f000003);
        (void)close(call.fd);
    }
}

#define CROWD 512

static void one_lookup_for_all(void **state)
{
    static struct call calls[CROWD];
    unsigned port = 0;
    AUTO_FD(server);
    struct call call;

    (void)state;
    proc_raise_files();
    server = listener("127.0.0.1", &port, false);
    *lookups = 0;
    /* Wait until the result that an earlier test got has expired. */
    for (int64_t until = clock_ms() + LONG_MS; *lookups == 0 && clock_ms() < until;) {
        dial(NULL, "one.test", port, LONG_MS, &call);
        (void)close(call.fd);
        (void)close(accept(server, NULL, NULL)); /* so that the queue does not fill up */
    }
    assert_int_equal(*lookups, 1);
    *lookups = 0;
    for (int i = 0; i < 20; i++) {
        dial(NULL, "one.test", port, LONG_MS, &call);
        (void)close(call.fd);
        (void)close(accept(server, NULL, NULL));
    }
    assert_true(*lookups <= 2); /* a result is used for a second */
    *lookups = 0;
    for (int64_t until = clock_ms() + LONG_MS; *lookups == 0 && clock_ms() < until;) {
        pending = 2;
        all_done = false;
        memset(calls, 0, sizeof calls);
        (void)dial_start(NULL, "one.test", port, clock_ms() + LONG_MS, dial_done, &calls[0]);
        (void)dial_start(NULL, "one.test", port, clock_ms() + LONG_MS, dial_done, &calls[1]);
        loop_until(&all_done);
        (void)close(calls[0].fd);
        (void)close(calls[1].fd);
        (void)close(accept(server, NULL, NULL));
        (void)close(accept(server, NULL, NULL));
    }
    assert_int_equal(*lookups, 1); /* after the result expired, one lookup served both dials */
    memset(calls, 0, sizeof calls);
    pending = CROWD;
    all_done = false;
    *lookups = 0;
    for (int i = 0; i < CROWD; i++)
        (void)dial_start(NULL, "one.test", port, clock_ms() + LONG_MS, dial_done, &calls[i]);
    loop_until(&all_done);
    assert_true(*lookups <= 1);
    for (int i = 0; i < CROWD; i++) {
        assert_connected(&calls[i]);
        (void)close(calls[i].fd);
    }
}

static void check_order(struct resolve *r, const struct addresses *found, int failed)
{
    static const int families[] = {AF_INET6, AF_INET, AF_INET6, AF_INET, AF_INET6};

    (void)r;
    assert_int_equal(failed, 0);
    assert_int_equal(found->count, ARRAY_LEN(families));
    for (unsigned i = 0; i < found->count; i++)
        assert_int_equal(found->at[i].any.sa_family, families[i]);
    all_done = true;
}

static void families_alternate(void **state)
{
    struct resolve r = {0};

    (void)state;
    all_done = false;
    resolve_start(&r, "many.test", check_order);
    assert_false(all_done);
    loop_until(&all_done);
}

/* Cancelled at each stage: no callback is called, and no process and no descriptor is left. */
static void cancel_leaves_nothing(void **state)
{
    static const char *const hosts[] = {"slow.test", "127.0.0.1", "one.test"};
    unsigned port = 0;
    AUTO_FD(server);

    (void)state;
    server = listener("127.0.0.1", &port, true);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct call call = {.fd = -1};
        int before = dup(0);
        (void)close(before);
        struct dialling *d = dial_start(NULL, hosts[i], port, clock_ms() + 10, dial_done, &call);
        struct dialling *other = dial_start(NULL, hosts[i], port, clock_ms() + 10, dial_done, &call);
        dial_cancel(d);
        dial_cancel(other);
        timer_set(&call.timer, clock_ms() + 50, late);
        loop_until(&call.done);
        assert_true(call.late);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        int after = dup(0);
        (void)close(after);
        assert_int_equal(after, before);
    }
    dial_cancel(NULL);
}

static int setup(void **state)
{
    (void)state;
    proc_harden();
    lookups = mmap(NULL, sizeof *lookups, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return lookups == MAP_FAILED ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects),
        cmocka_unit_test(failures),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(second_address),
        cmocka_unit_test(one_lookup_for_all),
        cmocka_unit_test(families_alternate),
        cmocka_unit_test(cancel_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
