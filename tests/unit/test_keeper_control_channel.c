/* SPDX-License-Identifier: MIT */
/* Questions of the keeper: whose time counts, how many there may be, and what ends one that is open. */
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

/* In a process that speaks with us as with broker: its pid, and our end in *line. */
static pid_t start(int (*keeper)(void), int *line)
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
    *line = ends[0];
    return pid;
}

static int end_of(pid_t pid)
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

/* 1: the time of the answer was given back to both deadlines, 0: to none. */
static int time_given_back(void)
{
    int64_t whole = opt.deadline, own = clock_ms() + FAR_MS, before = own;
    struct err e = ERR_INIT;

    if (!ask(&own, &e))
        return 2;
    bool both = opt.deadline - whole >= SLOW_MS && own - before >= SLOW_MS;
    return both ? 1 : opt.deadline == whole && own == before ? 0 : 3;
}

static void only_a_persons_time_does_not_count(void **state)
{
    (void)state;
    for (int person = 0; person < 2; person++) {
        AUTO_RECORD(asked);
        AUTO_RECORD(answer);
        struct err e = ERR_INIT;
        int line;
        pid_t pid = start(time_given_back, &line);

        assert_int_equal(record_read(line, &asked, CLOCK_NEVER, &e), 1);
        (void)usleep(SLOW_MS * 1000);
        answer.kind = KEEPER_ANSWER;
        record_put_str(&answer, KEEPER_TAG_SECRET, "1234");
        if (person)
            record_put(&answer, KEEPER_TAG_PERSON, "", 0);
        assert_int_equal(record_write(line, &answer, CLOCK_NEVER, &e), 0);
        int status = end_of(pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), person);
        (void)close(line);
    }
}

static int asks_for_ever(void)
{
    struct err e = ERR_INIT;
    int n = 0;

    while (ask(NULL, &e))
        n++;
    return e.code == ERR_LOGIN ? n : 255;
}

static void questions_are_counted(void **state)
{
    int line, n = 0;
    pid_t pid = start(asks_for_ever, &line);

    (void)state;
    for (;; n++) {
        AUTO_RECORD(asked);
        AUTO_RECORD(answer);
        struct err e = ERR_INIT;
        if (record_read(line, &asked, CLOCK_NEVER, &e) <= 0)
            break;
        answer.kind = KEEPER_ANSWER;
        record_put_str(&answer, KEEPER_TAG_SECRET, "");
        assert_int_equal(record_write(line, &answer, CLOCK_NEVER, &e), 0);
    }
    assert_int_equal(n, 64);
    assert_int_equal(end_of(pid), n << 8);
    (void)close(line);
}

static int asks_once(void)
{
    struct err e = ERR_INIT;

    return ask(NULL, &e);
}

/* A signal kills, a hang-up and a stop end it well. */
static void an_open_question_ends(void **state)
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
        int line;
        pid_t pid = start(asks_once, &line);

        assert_int_equal(record_read(line, &asked, CLOCK_NEVER, &e), 1);
        if (cases[i].number)
            assert_int_equal(kill(pid, cases[i].number), 0);
        stop.kind = cases[i].kind;
        if (cases[i].kind)
            assert_int_equal(record_write(line, &stop, CLOCK_NEVER, &e), 0);
        else if (!cases[i].number)
            (void)shutdown(line, SHUT_RDWR);
        assert_int_equal(end_of(pid), cases[i].status);
        (void)close(line);
    }
}

static int asks_the_impatient(void)
{
    struct err e = ERR_INIT;

    opt.target.login_timeout = -4900; /* the grace for broker is five seconds */
    bool first = ask(NULL, &e),
         second = ask(NULL, &e); /* the late answer is not taken for the second one's */
    return first || second ? 1 : 0;
}

static void an_answer_that_comes_too_late(void **state)
{
    AUTO_RECORD(asked);
    struct err e = ERR_INIT;
    int line;
    pid_t pid = start(asks_the_impatient, &line);

    (void)state;
    assert_int_equal(record_read(line, &asked, CLOCK_NEVER, &e), 1);
    assert_int_equal(record_read(line, &asked, CLOCK_NEVER, &e), 0);
    assert_int_equal(end_of(pid), 0);
    (void)close(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_persons_time_does_not_count),
        cmocka_unit_test(questions_are_counted),
        cmocka_unit_test(an_open_question_ends),
        cmocka_unit_test(an_answer_that_comes_too_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
