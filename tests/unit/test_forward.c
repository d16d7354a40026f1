/* SPDX-License-Identifier: MIT */
/*
 * Forwards as broker sees them: control sockets served by child processes that act as keepers, correct and
 * faulty ones; the sockets' folder and the files that may be in it; waiting for keepers until a signal, a
 * stop or a kill; and finding the process that holds a port. tests/cli tests the real keeper.
 */
#include <arpa/inet.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
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
#include <base/file.h>
#include <base/mem.h>
#include <ipc/keeper.h>
#include <session/control.h>
#include <session/forward.h>
#include <base/holder.h>

static char home[] = "/tmp/broker-forward-XXXXXX";

static int set_up(void **state)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};

    (void)state;
    (void)sigaction(SIGINT, &plain, NULL); /* a shell starts background jobs with it ignored */
    (void)sigaction(SIGHUP, &plain, NULL);
    return mkdtemp(home) && setenv("XDG_RUNTIME_DIR", home, 1) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- fake keepers --------------------------------------------------------------------------------------- */

static int listen_at(const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    (void)unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* What a fake keeper does: it answers one request per connection, and exits after STOP. */
struct keeper {
    const char *name, *listener, *state;
    const char *user, *password; /* for clients, made for this run */
    const char *raw;             /* bytes to send instead of an answer */
    size_t raw_len;
    bool hangs;
    int linger_ms; /* the time between the answer to STOP and the exit */
};

static int answer_one(int fd, const struct keeper *k)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);
    struct err e = ERR_INIT;

    if (record_read(fd, &request, clock_deadline(5000, CLOCK_NEVER), &e) <= 0)
        return 0;
    answer.kind = RECORD_OK;
    record_put_str(&answer, KEEPER_TAG_NAME, k->name);
    record_put_str(&answer, KEEPER_TAG_LISTENER, k->listener);
    record_put_str(&answer, KEEPER_TAG_STATE, k->state);
    record_put_str(&answer, KEEPER_TAG_USER, k->user);
    record_put_str(&answer, KEEPER_TAG_SECRET, k->password);
    record_put_str(&answer, KEEPER_TAG_HOST, "db.example.com");
    record_put_u64(&answer, KEEPER_TAG_PORT, 3307);
    record_put_u64(&answer, KEEPER_TAG_PID, (uint64_t)getpid());
    record_put_u64(&answer, KEEPER_TAG_CONNECTIONS, 2);
    record_put_u64(&answer, KEEPER_TAG_STARTED, 1795244400);
    record_put_str(&answer, KEEPER_TAG_DIGEST, "d1");
    if (k->raw)
        (void)!write(fd, k->raw, k->raw_len);
    else
        (void)record_write(fd, &answer, clock_deadline(5000, CLOCK_NEVER), &e);
    return request.kind == KEEPER_STOP;
}

static char *path_of(const char *name)
{
    AUTO_FREE(char *, lock);
    char *path = NULL;
    struct err e = ERR_INIT;

    assert_int_equal(control_place(name, &path, &lock, &e), 0);
    return path;
}

static pid_t keeper_at(const char *path, const struct keeper *k)
{
    int server = listen_at(path);
    pid_t parent = getpid(), pid = fork();

    assert_true(pid >= 0);
    if (pid > 0) {
        (void)close(server);
        return pid;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    while (k->hangs)
        (void)pause();
    for (;;) {
        int fd = accept(server, NULL, NULL);
        if (answer_one(fd, k)) {
            (void)unlink(path);
            (void)poll(NULL, 0, k->linger_ms);
            _exit(0);
        }
        (void)close(fd);
    }
}

static void keeper_kill(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static const struct keeper prod = {.name = "prod", .listener = "b41207 127.0.0.1", .state = "up"};

/* --- finding a forward ---------------------------------------------------------------------------------- */

static void found(void **state)
{
    static const struct {
        struct keeper keeper;
        const char *host, *socket, *address;
        unsigned port;
        bool up;
    } rows[] = {
        {{.name = "prod", .listener = "b41207 127.0.0.1", .state = "up"},
         "127.0.0.1",
         NULL,
         "127.0.0.1:41207",
         41207,
         true},
        {{.name = "prod", .listener = "b3306 ::1", .state = "lost"}, "::1", NULL, "[::1]:3306", 3306, false},
        {{.name = "prod", .listener = "t/tmp/a b.sock", .state = "up"},
         NULL,
         "/tmp/a b.sock",
         "/tmp/a b.sock",
         0,
         true},
        {{.name = "prod",
          .listener = "l41207 127.0.0.1",
          .state = "up",
          .user = "app",
          .password = "hunter2"},
         "127.0.0.1",
         NULL,
         "127.0.0.1:41207",
         41207,
         true},
    };
    AUTO_FREE(char *, path);

    (void)state;
    path = path_of("prod");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(address, 256);
        struct forward f = FORWARD_INIT;
        struct err e = ERR_INIT;
        pid_t pid = keeper_at(path, &rows[i].keeper);
        assert_int_equal(forward_find("prod", &f, &e), 1);
        assert_string_equal(f.name, "prod");
        assert_true(f.host ? text_equal(f.host, rows[i].host) : !rows[i].host);
        assert_true(f.socket ? text_equal(f.socket, rows[i].socket) : !rows[i].socket);
        forward_address(&f, &address);
        assert_string_equal(buf_str(&address), rows[i].address);
        assert_int_equal(f.port, rows[i].port);
        assert_int_equal(f.up, rows[i].up);
        assert_int_equal(f.pid, pid);
        assert_int_equal(f.connections, 2);
        assert_int_equal(f.started, 1795244400);
        assert_string_equal(f.endpoint_host, "db.example.com");
        assert_int_equal(f.endpoint_port, 3307);
        assert_string_equal(f.digest, "d1");
        assert_int_equal(f.makes_tls, *rows[i].keeper.listener != 'b');
        assert_int_equal(f.logs_in, *rows[i].keeper.listener == 'l');
        assert_true(f.logs_in ? text_equal(f.user, "app") : !f.user);
        assert_true(f.logs_in ? text_equal(secret_bytes(f.password), "hunter2") : !f.password);
        forward_release(&f);
        keeper_kill(pid);
    }
    /* The last keeper was killed; its dead socket is removed. */
    struct forward f = FORWARD_INIT;
    struct err e = ERR_INIT;
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(forward_find("prod", &f, &e), 0);
    assert_int_equal(access(path, F_OK), -1);
}

static void invalid_answers(void **state)
{
    static const struct {
        struct keeper keeper;
        int found;
        enum err_code code;
    } rows[] = {
        {{.name = NULL, .listener = "b1 127.0.0.1", .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = NULL, .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "", .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "b", .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "b99999 127.0.0.1", .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "b3306", .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "b3306 ", .state = "up"}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "b1 127.0.0.1", .state = NULL}, -1, ERR_PROTOCOL},
        {{.name = "prod", .listener = "l1 127.0.0.1", .state = "up", .user = "app"}, -1, ERR_PROTOCOL},
        {{.raw = "HTTP/1.1 400 Bad Request\r\n", .raw_len = 26}, -1, ERR_PROTOCOL},
        {{.raw = "\0\0\0\2\1\23", .raw_len = 6}, -1, ERR_PROTOCOL},
        {{.raw = "\0\0", .raw_len = 2}, -1, ERR_PROTOCOL},
        {{.raw = "", .raw_len = 0}, 0, ERR_NONE}, /* the keeper ended at that moment */
    };
    AUTO_FREE(char *, path);

    (void)state;
    path = path_of("prod");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct forward f = FORWARD_INIT;
        struct err e = ERR_INIT;
        pid_t pid = keeper_at(path, &rows[i].keeper);
        assert_int_equal(forward_find("prod", &f, &e), rows[i].found);
        assert_int_equal(e.code, rows[i].code);
        if (rows[i].found < 0)
            assert_string_equal(e.what, "prod");
        forward_release(&f);
        keeper_kill(pid);
        (void)unlink(path);
    }
}

/* The socket of a forward is directly in the folder, whatever bytes its name has. */
static void names_of_sockets(void **state)
{
    static const char *const odd[] = {
        "/run/mysqld/mysqld.sock", "..", ".hidden", "+0", "a/../../b", "[::1]:3306", "x.example.com:3306"};
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, plain);
    AUTO_FREE(char *, expected);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(keeper_folder(&folder, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        AUTO_FREE(char *, path);
        path = path_of(odd[i]);
        assert_int_equal(strncmp(path, folder, strlen(folder)), 0);
        assert_null(strchr(path + strlen(folder) + 1, '/'));
        assert_true(path[strlen(folder) + 1] != '.');
    }
    plain = path_of("prod");
    expected = mem_printf("%s/prod.sock", folder);
    assert_string_equal(plain, expected);
}

/* A name that is not a file name, or too long, is hashed. Not even the name of such a file leads to it. */
static void each_name_has_its_own_socket(void **state)
{
    char first[300], second[300], hashed[32];
    const char *const names[] = {"prod", "Prod", "prod.sock", "/s", "/s/", "..", ".a", first, second, hashed};
    char *paths[ARRAY_LEN(names)];
    const char *file;

    (void)state;
    memset(first, 'a', sizeof first);
    memset(second, 'a', sizeof second);
    (void)snprintf(first + sizeof first - 2, 2, "b");
    (void)snprintf(second + sizeof second - 2, 2, "c");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i] == hashed) {
            file = strrchr(paths[i - 1], '/') + 1;
            (void)snprintf(hashed, sizeof hashed, "%.*s", (int)(strlen(file) - strlen(".sock")), file);
            assert_int_equal(*hashed, '+');
        }
        paths[i] = path_of(names[i]);
        assert_true(strlen(paths[i]) <= SOCKET_PATH_MOST);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(paths[i], paths[k]);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        free(paths[i]);
}

static void refuses_untrusted_folder(void **state)
{
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, moved);
    AUTO_FREE(char *, again);
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    assert_int_equal(keeper_folder(&folder, &e), 0);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(chmod(folder, 0750), 0);
    assert_int_equal(keeper_folder(&again, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.what, folder);
    assert_string_equal(e.msg, "other users have access");
    assert_int_equal(chmod(folder, 0700), 0);
    moved = mem_printf("%s.moved", folder);
    assert_int_equal(rename(folder, moved), 0);
    assert_int_equal(symlink(moved, folder), 0);
    assert_int_equal(keeper_folder(&again, &e), -1);
    assert_string_equal(e.msg, "not a folder that you own");
    assert_int_equal(unlink(folder), 0);
    assert_int_equal(rename(moved, folder), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(folder, 12345, 12345), 0);
        assert_int_equal(keeper_folder(&again, &e), -1);
        assert_string_equal(e.msg, "not a folder that you own");
        assert_int_equal(chown(folder, 0, 0), 0);
    }
}

/* Anything but a socket that we own is neither removed nor connected to. */
static void refuses_other_files(void **state)
{
    AUTO_FREE(char *, path);
    struct forward f = FORWARD_INIT;
    struct err e = ERR_INIT;

    (void)state;
    path = path_of("prod");
    assert_int_equal(file_write(path, "x", 1, 0600, &e), 0);
    assert_int_equal(forward_find("prod", &f, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg, "not a socket that you own");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(forward_find("prod", &f, &e), -1);
    assert_int_equal(unlink(path), 0);
    int server = listen_at(path);
    if (geteuid() == 0) {
        assert_int_equal(lchown(path, 12345, 12345), 0);
        assert_int_equal(forward_find("prod", &f, &e), -1);
        assert_string_equal(e.msg, "not a socket that you own");
    }
    (void)close(server);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(forward_find("prod", &f, &e), 0);
}

static void list_has_all_but_the_faulty(void **state)
{
    static const struct keeper keepers[] = {{.name = "b", .listener = "b2 127.0.0.1", .state = "up"},
                                            {.name = "a", .listener = "b1 127.0.0.1", .state = "lost"},
                                            {.name = "x", .raw = "\0\0\0\2\1\23", .raw_len = 6}};
    pid_t pids[ARRAY_LEN(keepers)];
    struct forward *list;
    struct err e = ERR_INIT;
    size_t n;

    (void)state;
    assert_int_equal(forward_list(&list, &n, CLOCK_NEVER, &e), 0);
    assert_int_equal(n, 0);
    forward_list_free(list, n);
    for (size_t i = 0; i < ARRAY_LEN(keepers); i++) {
        AUTO_FREE(char *, path);
        path = path_of(keepers[i].name);
        pids[i] = keeper_at(path, &keepers[i]);
    }
    /* An error of one keeper does not hide the others. */
    assert_int_equal(forward_list(&list, &n, CLOCK_NEVER, &e), -1);
    assert_int_equal(e.code, ERR_PROTOCOL);
    assert_string_equal(e.what, "x");
    assert_int_equal(n, 2);
    assert_string_equal(list[0].name, "a");
    assert_string_equal(list[1].name, "b");
    forward_list_free(list, n);
    for (size_t i = 0; i < ARRAY_LEN(keepers); i++)
        keeper_kill(pids[i]);
    err_clear(&e);
    assert_int_equal(forward_list(&list, &n, CLOCK_NEVER, &e), 0);
    assert_int_equal(n, 0);
    forward_list_free(list, n);
}

/* --- stopping a forward --------------------------------------------------------------------------------- */

static void stop_waits_for_end(void **state)
{
    AUTO_FREE(char *, path);
    struct keeper slow = prod;
    struct err e = ERR_INIT;

    (void)state;
    slow.linger_ms = 200;
    path = path_of("prod");
    assert_int_equal(forward_stop("prod", CLOCK_NEVER, &e), 0);
    pid_t pid = keeper_at(path, &slow);
    int64_t before = clock_ms();
    assert_int_equal(forward_stop("prod", CLOCK_NEVER, &e), 1);
    assert_true(clock_ms() - before >= 200);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(forward_stop("prod", CLOCK_NEVER, &e), 0);
    assert_int_equal(e.code, ERR_NONE);
}

static void stop_fails_at_deadline(void **state)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, hint);
    struct keeper slow = prod, hangs = {.hangs = true};
    struct err e = ERR_INIT;

    (void)state;
    slow.linger_ms = 60000;
    path = path_of("prod");
    pid_t pid = keeper_at(path, &slow);
    assert_int_equal(forward_stop("prod", clock_deadline(2000, CLOCK_NEVER), &e), -1);
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_string_equal(e.msg, "still has connections");
    keeper_kill(pid);
    pid = keeper_at(path, &hangs);
    assert_int_equal(forward_stop("prod", clock_deadline(100, CLOCK_NEVER), &e), -1);
    assert_int_equal(e.code, ERR_UNREACHABLE);
    assert_non_null(strstr(e.msg, "does not answer"));
    /* The PID of the process that called listen(2), here this test. */
    hint = mem_printf("kill -9 %d", (int)getpid());
    assert_string_equal(e.hint, hint);
    keeper_kill(pid);
    assert_int_equal(forward_stop("prod", CLOCK_NEVER, &e), 0);
    assert_int_equal(access(path, F_OK), -1);
}

/* --- waiting for keepers -------------------------------------------------------------------------------- */

enum ending { ENDS_IN_ORDER, ENDS_WHEN_TOLD, IS_KILLED, FAILS };

/* Starts a fake keeper at the other end of a control channel. It first sends `signal`, unless 0, to this
 * process. */
static pid_t keeper_on_channel(int *channel, enum ending how, int signal, int linger_ms)
{
    AUTO_RECORD(message);
    struct err e = ERR_INIT;
    int pair[2];
    pid_t parent = getpid();

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    pid_t pid = fork();
    if (pid > 0) {
        (void)close(pair[1]);
        *channel = pair[0];
        return pid;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(pair[0]);
    (void)poll(NULL, 0, 30);
    if (signal)
        (void)kill(parent, signal);
    if (how == ENDS_WHEN_TOLD) {
        if (record_read(pair[1], &message, CLOCK_NEVER, &e) <= 0 || message.kind != KEEPER_STOP)
            _exit(2);
        (void)poll(NULL, 0, linger_ms);
    }
    buf_clear(&message.body);
    message.kind = RECORD_OK;
    if (how == FAILS) {
        (void)err_set(&e, ERR_IO, "the error of the keeper");
        record_put_error(&message, &e);
    }
    if (how != IS_KILLED)
        (void)record_write(pair[1], &message, CLOCK_NEVER, &e);
    _exit(0);
}

static void waits_for_keepers(void **state)
{
    static const struct {
        enum ending how;
        int signal, result, ended_by;
        const char *msg;
    } rows[] = {
        {ENDS_IN_ORDER, 0, 0, 0, ""},
        {ENDS_WHEN_TOLD, SIGTERM, 0, SIGTERM, ""},
        {ENDS_WHEN_TOLD, SIGINT, 0, SIGINT, ""},
        {ENDS_WHEN_TOLD, SIGHUP, 0, SIGHUP, ""},
        {IS_KILLED, 0, -1, 0, "its keeper was killed"},
        {FAILS, 0, -1, 0, "the error of the keeper"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        /* The second was running before, so there is no channel to it. The third is told to end with the
         * first. */
        struct forward list[] = {FORWARD_INIT, FORWARD_INIT, FORWARD_INIT};
        struct err e = ERR_INIT;
        int ended_by = -1, status;
        bool all_told = rows[i].how != ENDS_IN_ORDER;
        for (size_t k = 0; k < ARRAY_LEN(list); k++) {
            list[k].name = mem_strdup("prod");
            list[k].up = true;
        }
        pid_t first = keeper_on_channel(&list[0].channel, rows[i].how, rows[i].signal, 100);
        pid_t third = keeper_on_channel(&list[2].channel, all_told ? ENDS_WHEN_TOLD : ENDS_IN_ORDER, 0, 0);
        assert_int_equal(forward_wait(list, ARRAY_LEN(list), 5000, &ended_by, &e), rows[i].result);
        assert_int_equal(ended_by, rows[i].ended_by);
        assert_string_equal(e.msg, rows[i].msg);
        assert_string_equal(e.what, rows[i].result < 0 ? "prod" : "");
        for (size_t k = 0; k < ARRAY_LEN(list); k++) {
            assert_int_equal(list[k].channel, -1);
            forward_release(&list[k]);
        }
        assert_int_equal(waitpid(first, &status, 0), first);
        assert_int_equal(status, 0);
        assert_int_equal(waitpid(third, &status, 0), third);
        assert_int_equal(status, 0);
    }
}

/* --- finding the process that holds a port -------------------------------------------------------------- */

static void holder(void **state)
{
    static const struct {
        const char *listens, *asked;
        bool known;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", true},  {"0.0.0.0", "127.0.0.1", true}, {"127.0.0.1", "0.0.0.0", true},
        {"127.0.0.1", "127.0.0.2", false}, {"::1", "::1", true},           {"::", "127.0.0.1", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FD(server);
        AUTO_FREE(char *, who);
        AUTO_FREE(char *, expected);
        struct sockaddr_in6 six = {.sin6_family = AF_INET6};
        struct sockaddr_in four = {.sin_family = AF_INET}, at;
        bool is_six = strchr(rows[i].listens, ':');
        struct sockaddr *sa = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
        socklen_t size = is_six ? sizeof six : sizeof four;
        in_port_t port;

        (void)inet_pton(AF_INET6, rows[i].listens, &six.sin6_addr);
        (void)inet_pton(AF_INET, rows[i].listens, &four.sin_addr);
        server = socket(sa->sa_family, SOCK_STREAM, 0);
        if (server < 0 || bind(server, sa, size) < 0)
            continue; /* no IPv6 on this machine */
        /* A socket that is bound but does not listen yet has no holder. */
        assert_int_equal(getsockname(server, sa, &size), 0);
        port = is_six ? six.sin6_port : four.sin_port;
        if (strchr(rows[i].asked, ':')) {
            assert_null(who = holder_of_address((struct sockaddr *)&six));
            assert_int_equal(listen(server, 1), 0);
            who = holder_of_address((struct sockaddr *)&six);
        } else {
            at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
            (void)inet_pton(AF_INET, rows[i].asked, &at.sin_addr);
            assert_null(who = holder_of_address((struct sockaddr *)&at));
            assert_int_equal(listen(server, 1), 0);
            who = holder_of_address((struct sockaddr *)&at);
        }
        expected = mem_printf("test_forward (pid %d)", (int)getpid());
        assert_string_equal(who ? who : "", rows[i].known ? expected : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),
        cmocka_unit_test(invalid_answers),
        cmocka_unit_test(names_of_sockets),
        cmocka_unit_test(each_name_has_its_own_socket),
        cmocka_unit_test(refuses_untrusted_folder),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(list_has_all_but_the_faulty),
        cmocka_unit_test(stop_waits_for_end),
        cmocka_unit_test(stop_fails_at_deadline),
        cmocka_unit_test(waits_for_keepers),
        cmocka_unit_test(holder),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
