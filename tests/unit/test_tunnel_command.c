/* SPDX-License-Identifier: MIT */
/*
 * A tunnel of type `command`: listeners in the kernel's tables, the output of the tunnel's program, and whole
 * tunnels. The program is this one, with a role as its argument. Each whole tunnel runs in its own process,
 * because a keeper has only one tunnel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <event/child.h>
#include <keeper/tunnels.h>
#include <base/listening.h>
#include <event/loop.h>
#include <tunnel/program.h>
#include <tunnel/ready.h>
#include <tunnel/tunnel.h>

#define LONG_MS 20000

/* --- the program ------------------------------------------------------------------------------------------
 */

static void nap(int ms)
{
    (void)poll(NULL, 0, ms);
}

_Noreturn static void serve(int fd)
{
    for (;;) {
        int client = accept(fd, NULL, NULL);
        if (client >= 0 && write(client, "hello", 5) == 5)
            (void)close(client);
    }
}

_Noreturn static void serve_port(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 64) < 0)
        _exit(98);
    serve(fd);
}

_Noreturn static void serve_path(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 64) < 0)
        _exit(98);
    serve(fd);
}

static void put(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

/* The roles `taken` and `once` fail the first time, because the port is in use or after a while; then they
 * serve. */
static bool first_time(const char *file)
{
    struct stat st;

    if (stat(file, &st) == 0)
        return false;
    (void)close(creat(file, 0600));
    return true;
}

static int role(int argc, char **argv)
{
    const char *name = argv[1], *arg = argc > 2 ? argv[2] : "", *more = argc > 3 ? argv[3] : "";

    if (text_equal(name, "late"))
        nap(100);
    if (text_equal(name, "listen") || text_equal(name, "late"))
        serve_port(arg);
    if (text_equal(name, "unix"))
        serve_path(arg);
    if (text_equal(name, "dies")) {
        put(2, "no credentials\n\033[1mfor you\n");
        return 7;
    }
    if (text_equal(name, "args"))
        put(1, text_equal(arg, "a b:3307 {\"x\":[\"db.test\"]} {user}") ? "Waiting for con" : "wrong");
    if (text_equal(name, "args"))
        put(1, "nections...\n");
    if (text_equal(name, "taken") && first_time(more)) {
        put(2, "listen: bind: Address already in use\n");
        return 1;
    }
    if (text_equal(name, "once") && first_time(more) && fork() > 0) {
        nap(300);
        put(2, "session timed out\n");
        return 5;
    }
    if (text_equal(name, "taken") || text_equal(name, "once"))
        serve_port(arg);
    if (text_equal(name, "plugin") && fork() == 0)
        serve_port(arg);
    if (text_equal(name, "never"))
        put(2, "still trying\n");
    for (;;)
        (void)pause();
}

/* --- the kernel's tables and the program's output ------------------------------------------------------- */

#define REST " 00000000:00000000 00:00000000 00000000 "

static void tcp_lines(void **state)
{
    static const struct {
        const char *line, *host;
        unsigned port;
        const char *at; /* NULL: no listener */
    } cases[] = {
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "0 0 1", NULL, 41207, "127.0.0.1"},
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "0 0 1", NULL, 41208, NULL},
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "0 0 1", "127.0.0.1", 41207, "127.0.0.1"},
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "0 0 1", "127.0.0.2", 41207, NULL},
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "0 0 1", "::1", 41207, NULL},
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "0 0 1", "localhost", 41207, "localhost"},
        {"   0: 0100007F:A0F7 0100007F:0CEA 01" REST "0 0 1", NULL, 41207, NULL},       /* a connection */
        {"   0: 0100007F:A0F7 00000000:0000 0A" REST "4000000 0 1", NULL, 41207, NULL}, /* another user's */
        {"  12: 00000000:A0F7 00000000:0000 0A" REST "0 0 1", NULL, 41207, "127.0.0.1"},
        {"  12: 00000000:A0F7 00000000:0000 0A" REST "0 0 1", "127.0.0.2", 41207, "127.0.0.2"},
        {"  12: 0200A8C0:A0F7 00000000:0000 0A" REST "0 0 1", NULL, 41207, NULL}, /* not a loopback address */
        {"   1: 00000000000000000000000001000000:0CEA 00000000000000000000000000000000:0000 0A" REST "0 0 1",
         NULL, 3306, "::1"},
        {"   1: 00000000000000000000000001000000:0CEA 00000000000000000000000000000000:0000 0A" REST "0 0 1",
         "::1", 3306, "::1"},
        {"   1: 00000000000000000000000000000000:0CEA 00000000000000000000000000000000:0000 0A" REST "0 0 1",
         NULL, 3306, "127.0.0.1"},
        {"   1: 0000000000000000FFFF00000100007F:0CEA 00000000000000000000000000000000:0000 0A" REST "0 0 1",
         "127.0.0.1", 3306, "127.0.0.1"},
        {"  sl  local_address rem_address   st tx_queue rx_queue", NULL, 3306, NULL},
        {"   0: 0100007:A0F7 00000000:0000 0A" REST "0 0 1", NULL, 41207, NULL},
        {"", NULL, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *at = NULL;
        bool is = listening_tcp_line(cases[i].line, cases[i].host, cases[i].port, true, &at);
        assert_int_equal(is, cases[i].at != NULL);
        if (is)
            assert_string_equal(at, cases[i].at);
    }
}

static void unix_lines(void **state)
{
    static const struct {
        const char *line, *path;
        bool listens;
    } cases[] = {
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/broker/c17", "/run/broker/c17",
         true},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12345 c17", "/run/broker/c17", true},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12345 /var/run/broker/c17", "/run/broker/c17",
         true},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/broker/xc17", "/run/broker/c17",
         false},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/broker/c171", "/run/broker/c17",
         false},
        {"0000000000000000: 00000003 00000000 00000000 0001 03 12345 /run/broker/c17", "/run/broker/c17",
         false},
        {"0000000000000000: 00000002 00000000 00010000 0001 01 12345", "/run/broker/c17", false},
        {"Num       RefCount Protocol Flags    Type St Inode Path", "/run/broker/c17", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(listening_unix_line(cases[i].line, cases[i].path), cases[i].listens);
}

static void ready_texts(void **state)
{
    static const struct {
        const char *text, *output;
        bool found;
    } cases[] = {
        {"Waiting for connections", "Port 1 opened\nWaiting for connections...\n", true},
        {"opened", "Port 1 opened", true}, /* the line need not be complete */
        {"opened", "Port 1 open\ned", false},
        {"aab", "aaab", true},
        {"abcabd", "abcabcabd", true},
        {"abab", "abaab", false},
        {"x", "", false},
        {"", "x", false},
        {NULL, "x", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t step = 1; step < 8; step++) {
            struct ready r = READY_INIT;
            ready_begin(&r, cases[i].text);
            for (size_t at = 0, n = strlen(cases[i].output); at < n; at += step)
                ready_feed(&r, cases[i].output + at, n - at < step ? n - at : step);
            assert_int_equal(r.found, cases[i].found);
            buf_release(&r.tail);
        }
    }
    assert_true(ready_says_taken("bind [127.0.0.1]:3306: Address already in use\n"));
    assert_true(ready_says_taken("Error: listen EADDRINUSE: 127.0.0.1:3306"));
    assert_false(ready_says_taken("An error occurred (TargetNotConnected)"));
}

/* --- whole tunnels ----------------------------------------------------------------------------------------
 */

static const char *self, *file;

struct tunnel_case {
    const char *command; /* %s: this program */
    const char *keys[3]; /* further keys of [tunnel] */
    enum err_code code;  /* ERR_NONE: it opens, and a connection reads `hello` */
    const char *msg, *detail;
    void (*then)(void);
};

static bool finished;
static int64_t began;
static struct err failed;

static void check(bool held, const char *what)
{
    if (held)
        return;
    (void)fprintf(stderr, "failed: %s (%s) %s\n", what, failed.msg, failed.detail);
    child_end_all();
    _exit(1);
}

static void too_late(struct timer *t)
{
    (void)t;
    check(false, "in time");
}

static struct timer limit;

static void wait_finished(void)
{
    timer_set(&limit, clock_ms() + LONG_MS, too_late);
    loop_until(&finished);
    timer_clear(&limit);
    finished = false;
}

static void opened(const struct err *e)
{
    failed = e ? *e : (struct err)ERR_INIT;
    finished = true;
}

static int stream;

static void dialled(struct dial *d, int fd, const struct err *e)
{
    (void)d;
    stream = fd;
    opened(e);
}

static void dial_once(void)
{
    static struct dial d;

    d.done = dialled;
    tunnel_dial(&d);
    wait_finished();
}

static void reads_hello(void)
{
    struct pollfd p = {.events = POLLIN};
    char text[6] = "";

    dial_once();
    check(stream >= 0, "a stream");
    p.fd = stream;
    check(poll(&p, 1, LONG_MS) == 1 && read(stream, text, 5) == 5 && text_equal(text, "hello"), "hello");
    (void)close(stream);
}

static void is_over(struct timer *t)
{
    (void)t;
    finished = true;
}

static void run_loop_for(int ms)
{
    struct timer t = {0};

    timer_set(&t, clock_ms() + ms, is_over);
    loop_until(&finished);
    finished = false;
}

/* The program has ended. During the pause a connection fails at once, with the reason; after the pause it
 * restarts the program. */
static void restarts(void)
{
    while (tunnel_is_up())
        run_loop_for(5);
    dial_once();
    /* The pause counts from the program's start, so on a slow machine it may be over. */
    check(stream < 0 || clock_ms() - began >= 500, "a pause");
    if (stream < 0) {
        check(failed.code == ERR_UNREACHABLE && text_ends(failed.msg, ": exit status 5"), "the reason");
        check(text_equal(failed.detail, "session timed out\n"), "its stderr");
        check(text_starts(failed.hint, "a connection after ") && text_ends(failed.hint, " starts it again"),
              "the hint");
    } else {
        (void)close(stream);
    }
    for (int64_t until = clock_ms() + LONG_MS; !tunnel_is_up() && clock_ms() < until;) {
        run_loop_for(20);
        dial_once();
        if (stream >= 0)
            (void)close(stream);
    }
    reads_hello();
    check(tunnel_is_up(), "up again");
}

static void describes(void)
{
    AUTO_BUF(text, 256);

    tunnel_describe(&text);
    check(text_starts(buf_str(&text), "command test_tunnel_command, 127.0.0.1:"), buf_str(&text));
}

static void must_not_be_called(struct dial *d, int fd, const struct err *e)
{
    (void)d;
    (void)fd;
    (void)e;
    check(false, "no callback");
}

static unsigned served;

static void count_served(struct dial *d, int fd, const struct err *e)
{
    (void)d;
    (void)e;
    check(fd >= 0, "a stream");
    (void)close(fd);
    served++;
}

/* Three connections wait while the program starts, and one of them is cancelled. */
static void wait_early(void)
{
    static struct dial d[3] = {{.done = count_served}, {.done = must_not_be_called}, {.done = count_served}};

    for (size_t i = 0; i < ARRAY_LEN(d); i++)
        tunnel_dial(&d[i]);
    tunnel_undial(&d[1]);
}

static void were_served(void)
{
    for (int64_t until = clock_ms() + LONG_MS; served < 2 && clock_ms() < until;)
        run_loop_for(5);
    check(served == 2, "both were served");
}

static const struct tunnel_case whole[] = {
    {"%s listen {local_port}", {NULL}, 0, NULL, NULL, describes},
    {"%s late {local_port}", {NULL}, 0, NULL, NULL, were_served},
    {"%s unix {socket}", {NULL}, 0, NULL, NULL, NULL},
    {"%s plugin {local_port}", {NULL}, 0, NULL, NULL, NULL},
    {"%s taken {local_port} FILE", {NULL}, 0, NULL, NULL, NULL},
    {"%s once {local_port} FILE", {NULL}, 0, NULL, NULL, restarts},
    {"%s listen FREE", {"address=FREE 127.0.0.1"}, 0, NULL, NULL, NULL},
    {"%s once FREE FILE", {"address=FREE 127.0.0.1"}, 0, NULL, NULL, restarts},
    {"%s never",
     {"address=FREE 127.0.0.1", "connect_timeout=2000"},
     ERR_UNREACHABLE,
     "test_tunnel_command: not ready within 2s",
     "still trying\n",
     NULL},
    {"%s dies {local_port}",
     {NULL},
     ERR_UNREACHABLE,
     "test_tunnel_command: exit status 7 before it was ready",
     "no credentials\n?[1mfor you\n",
     NULL},
    {"%s never", {NULL}, ERR_CONFIG, "command without {local_port} and {socket} needs address", "", NULL},
    {"%s listen 1",
     {"address=TAKEN 127.0.0.1"},
     ERR_UNREACHABLE,
     "127.0.0.1:TAKEN, where test_tunnel_command should listen, is already in use",
     "",
     NULL},
    {"/nonexistent/aws {local_port}",
     {NULL},
     ERR_CONFIG,
     "command: /nonexistent/aws: no such program",
     "",
     NULL},
    {"%s 'open", {NULL}, ERR_CONFIG, "command: open quote or backslash at the end of a command", "", NULL},
    {"%s args 'a b:{port} {\"x\":[\"{host}\"]} {user}'",
     {"address=FREE 127.0.0.1", "ready=for connections"},
     ERR_UNREACHABLE,
     "2003 127.0.0.1:FREE: connection refused",
     "",
     NULL},
};

static char taken_port[8], free_port[8];

/* Chooses a port on which a socket listens, and a free one. */
static void choose_ports(void)
{
    for (int taken = 1; taken >= 0; taken--) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof at;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        check(bind(fd, (struct sockaddr *)&at, n) == 0 && (!taken || listen(fd, 1) == 0), "a port");
        (void)getsockname(fd, (struct sockaddr *)&at, &n);
        (void)snprintf(taken ? taken_port : free_port, sizeof free_port, "%u", ntohs(at.sin_port));
        if (!taken)
            (void)close(fd);
    }
}

static char *filled(const char *text, const char *key)
{
    AUTO_FREE(char *, half);
    const char *at = strstr(text, "%s");
    AUTO_BUF(out, 8192);

    half = at ? mem_printf("%.*s%s%s", (int)(at - text), text, self, at + 2) : mem_strdup(text);
    buf_puts(&out, key);
    for (const char *s = half; *s;) {
        if (text_starts(s, "FILE") || text_starts(s, "FREE")) {
            buf_puts(&out, s[1] == 'I' ? file : free_port);
            s += 4;
        } else if (text_starts(s, "TAKEN")) {
            buf_puts(&out, taken_port);
            s += 5;
        } else {
            buf_putc(&out, *s++);
        }
    }
    return buf_take(&out);
}

static struct target target;

static void run_case(const struct tunnel_case *c)
{
    AUTO_FREE(char *, msg);

    choose_ports();
    target = (struct target){.host = mem_strdup("db.test"), .port = 3307, .connect_timeout = LONG_MS};
    words_add(&target.keys, "type=command");
    words_take(&target.keys, filled(c->command, "command="));
    for (size_t i = 0; i < ARRAY_LEN(c->keys) && c->keys[i]; i++)
        words_take(&target.keys, filled(c->keys[i], ""));
    began = clock_ms();
    tunnel_open(&target, opened);
    if (c->then == were_served)
        wait_early();
    wait_finished();
    if (c->code == 0)
        check(failed.code == 0, "opens");
    if (failed.code == 0)
        c->code ? dial_once() : reads_hello();
    if (c->then)
        c->then();
    if (c->code) {
        msg = filled(c->msg, "");
        check(failed.code == c->code && text_equal(failed.msg, msg), msg);
        check(text_equal(failed.detail, c->detail), "the details");
        check(failed.hint[0], "a hint");
    }
    tunnel_close();
    child_end_all();
    const char *path = program_local_end()->path;
    check(!path || access(path, F_OK) < 0, "no socket is left");
    check(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "no child is left");
}

static void whole_tunnels(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        int status = 0;
        (void)unlink(file);
        pid_t pid = fork();
        if (pid == 0) {
            run_case(&whole[i]);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        /* This process is a subreaper: a process that the case has left would now be its child. */
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        if (status)
            fail_msg("case %zu: %s", i, whole[i].command);
    }
    (void)unlink(file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_lines),
        cmocka_unit_test(unix_lines),
        cmocka_unit_test(ready_texts),
        cmocka_unit_test(whole_tunnels),
    };
    AUTO_FREE(char *, folder);

    if (argc > 1)
        return role(argc, argv);
    proc_harden();
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    folder = proc_self_dir();
    self = mem_printf("'%s/test_tunnel_command'", folder);
    file = mem_printf("/tmp/broker-once-%ld", (long)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
