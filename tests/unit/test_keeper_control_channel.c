/* SPDX-License-Identifier: MIT */
/* Questions of the keeper: whether the time for an answer counts, how many are allowed, and what ends a
 * pending one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <keeper/control_channel.h>
#include <keeper/options.h>
#include <keeper/shutdown.h>

#define SLOW_MS 300
#define FAR_MS 60000

static const struct control_events events = {
    .quit = shutdown_now, .stop = shutdown_begin, .has_owner = shutdown_has_owner, .wait = shutdown_wait};

/* Runs keeper() in a child process; this process plays broker. Returns its pid; *channel is our end of the
 * control channel. */
static pid_t start(int (*keeper)(void), int *channel)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(60);
        (void)close(KEEPER_LIVES_FOR_FD);
        (void)dup2(ends[1], STDIN_FILENO);
        (void)dup2(ends[1], STDOUT_FILENO);
        control_init(&events);
        shutdown_watch();
        opt.target.login_timeout = FAR_MS;
        opt.deadline = clock_ms() + FAR_MS;
        _exit(keeper());
    }
    (void)close(ends[1]);
    *channel = ends[0];
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool ask(int64_t *deadline, struct err *e)
{
    AUTO_SECRET(answer);

    return control_ask(KEEPER_ASK_SECRET, "Code: ", false, deadline, &answer, e) == 0;
}

/* Returns 1 if the time for the answer was added to both deadlines, 0 if to neither; 2 and 3 are failures. */
static int asks_and_compares_deadlines(void)
{
    int64_t whole = opt.deadline, own = clock_ms() + FAR_MS, before = own;
    struct err e = ERR_INIT;

    if (!ask(&own, &e))
        return 2;
    bool both = opt.deadline - whole >= SLOW_MS && own - before >= SLOW_MS;
    return both ? 1 : opt.deadline == whole && own == before ? 0 : 3;
}

static void only_time_of_the_user_is_added(void **state)
{
    (void)state;
    for (int by_user = 0; by_user < 2; by_user++) {
        AUTO_RECORD(asked);
        AUTO_RECORD(answer);
        struct err e = ERR_INIT;
        int channel;
        pid_t pid = start(asks_and_compares_deadlines, &channel);

        assert_int_equal(record_read(channel, &asked, CLOCK_NEVER, &e), 1);
        (void)usleep(SLOW_MS * 1000);
        answer.kind = KEEPER_ANSWER;
        record_put_str(&answer, KEEPER_TAG_SECRET, "1234");
        if (by_user)
            record_put(&answer, KEEPER_TAG_PERSON, "", 0);
        assert_int_equal(record_write(channel, &answer, CLOCK_NEVER, &e), 0);
        int status = wait_for(pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), by_user);
        (void)close(channel);
    }
}

static int asks_forever(void)
{
    struct err e = ERR_INIT;
    int n = 0;

    while (ask(NULL, &e))
        n++;
    return e.code == ERR_LOGIN ? n : 255;
}

static void at_most_64_questions(void **state)
{
    int channel, n = 0;
    pid_t pid = start(asks_forever, &channel);

    (void)state;
    for (;; n++) {
        AUTO_RECORD(asked);
        AUTO_RECORD(answer);
        struct err e = ERR_INIT;
        if (record_read(channel, &asked, CLOCK_NEVER, &e) <= 0)
            break;
        answer.kind = KEEPER_ANSWER;
        record_put_str(&answer, KEEPER_TAG_SECRET, "");
        assert_int_equal(record_write(channel, &answer, CLOCK_NEVER, &e), 0);
    }
    assert_int_equal(n, 64);
    assert_int_equal(wait_for(pid), n << 8);
    (void)close(channel);
}

/* The keeper ends in ask(). A status of 3 or 4 is a failure: ask() has returned. */
static int asks_once(void)
{
    struct err e = ERR_INIT;

    return ask(NULL, &e) ? 4 : 3;
}

/* A signal kills the keeper; STOP and end of file end it with status 0. */
static void keeper_ends_during_a_question(void **state)
{
    static const struct {
        int number;
        uint8_t kind;
        int status;
    } cases[] = {{SIGTERM, 0, SIGTERM}, {SIGINT, 0, SIGINT}, {0, KEEPER_STOP, 0}, {0, 0, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_RECORD(asked);
        AUTO_RECORD(stop);
        struct err e = ERR_INIT;
        int channel;
        pid_t pid = start(asks_once, &channel);

        assert_int_equal(record_read(channel, &asked, CLOCK_NEVER, &e), 1);
        if (cases[i].number)
            assert_int_equal(kill(pid, cases[i].number), 0);
        stop.kind = cases[i].kind;
        if (cases[i].kind)
            assert_int_equal(record_write(channel, &stop, CLOCK_NEVER, &e), 0);
        else if (!cases[i].number)
            (void)shutdown(channel, SHUT_RDWR);
        assert_int_equal(wait_for(pid), cases[i].status);
        (void)close(channel);
    }
}

static int asks_twice_with_short_timeout(void)
{
    struct err e = ERR_INIT;

    opt.target.login_timeout = -4900; /* the keeper waits five seconds longer, so 100 ms */
    bool first = ask(NULL, &e),
         second = ask(NULL, &e); /* not asked: a late answer to the first could be taken for its answer */
    return first || second ? 1 : e.code == ERR_LOGIN ? 3 : 2;
}

static void no_question_after_a_timeout(void **state)
{
    AUTO_RECORD(asked);
    struct err e = ERR_INIT;
    int channel;
    pid_t pid = start(asks_twice_with_short_timeout, &channel);

    (void)state;
    assert_int_equal(record_read(channel, &asked, CLOCK_NEVER, &e), 1);
    assert_int_equal(record_read(channel, &asked, CLOCK_NEVER, &e), 0);
    assert_int_equal(wait_for(pid), 3 << 8);
    (void)close(channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_time_of_the_user_is_added),
        cmocka_unit_test(at_most_64_questions),
        cmocka_unit_test(keeper_ends_during_a_question),
        cmocka_unit_test(no_question_after_a_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
