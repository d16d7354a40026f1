/* SPDX-License-Identifier: MIT */
/* The event loop: level-triggered events, hang-ups, watches removed during an iteration, the order of timers,
 * and the function of each iteration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <event/loop.h>

static bool done;

static void stop(struct timer *t)
{
    (void)t;
    done = true;
}

/* Runs the loop for at least `ms`. */
static void run_for(int64_t ms)
{
    struct timer t = {0};

    done = false;
    timer_set(&t, clock_ms() + ms, stop);
    loop_until(&done);
    timer_clear(&t);
}

struct watched {
    struct watch watch;
    unsigned calls, events;
    struct watched *victim; /* its watch is removed in the callback and added again for `quiet` */
    int quiet;
};

static void count(struct watch *w, unsigned events)
{
    struct watched *watched = OWNER_OF(w, struct watched, watch);

    watched->calls++;
    watched->events = events;
    if (watched->victim) {
        loop_forget(&watched->victim->watch);
        loop_watch(&watched->victim->watch, watched->quiet, LOOP_READ, count);
    } else {
        done = true;
    }
}

static void once(void)
{
    done = false;
    loop_until(&done);
}

static void pair(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
}

static void events(void **state)
{
    struct watched watched = {.watch.fd = -1};
    int fd[2];

    (void)state;
    pair(fd);
    loop_watch(&watched.watch, fd[0], LOOP_READ, count);
    run_for(20);
    assert_int_equal(watched.calls, 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    once();
    assert_int_equal(watched.events, LOOP_READ);
    once(); /* level-triggered: it was not read */
    assert_int_equal(watched.calls, 2);
    loop_want(&watched.watch, LOOP_READ | LOOP_WRITE);
    once();
    assert_int_equal(watched.events, LOOP_READ | LOOP_WRITE);
    loop_want(&watched.watch, LOOP_WRITE);
    once();
    assert_int_equal(watched.events, LOOP_WRITE);
    (void)close(fd[1]);
    once(); /* a hang-up is reported as both */
    assert_int_equal(watched.events, LOOP_READ | LOOP_WRITE);
    unsigned calls = watched.calls;
    loop_want(&watched.watch, 0);
    run_for(20);
    assert_int_equal(watched.calls, calls); /* not even the hang-up is reported */
    loop_want(&watched.watch, LOOP_READ);
    once();
    assert_int_equal(watched.calls, calls + 1);
    loop_forget(&watched.watch);
    assert_int_equal(watched.watch.fd, -1);
    loop_forget(&watched.watch);
    (void)close(fd[0]);
}

/* Both are ready in the same iteration. The first callback removes the other watch, whose pending event must
 * be dropped. */
static void drops_events_of_removed_watch(void **state)
{
    struct watched a = {.watch.fd = -1}, b = {.watch.fd = -1};
    int first[2], second[2], quiet[2];

    (void)state;
    pair(quiet);
    a.quiet = b.quiet = quiet[0];
    a.victim = &b;
    b.victim = &a;
    pair(first);
    pair(second);
    assert_int_equal(write(first[1], "x", 1), 1);
    assert_int_equal(write(second[1], "x", 1), 1);
    loop_watch(&a.watch, first[0], LOOP_READ, count);
    loop_watch(&b.watch, second[0], LOOP_READ, count);
    struct timer t = {0};
    done = false;
    timer_set(&t, clock_ms(), stop); /* exactly one iteration */
    loop_until(&done);
    assert_int_equal(a.calls + b.calls, 1);
    loop_forget(&a.watch);
    loop_forget(&b.watch);
    for (int i = 0; i < 2; i++) {
        (void)close(quiet[i]);
        (void)close(first[i]);
        (void)close(second[i]);
    }
}

static char fired[16];
static struct timer timers[8];

static void note(struct timer *t)
{
    char name[2] = {(char)('0' + (t - timers)), '\0'};

    strncat(fired, name, sizeof fired - strlen(fired) - 1);
    if (t == &timers[1])
        timer_clear(&timers[3]); /* due at the same time as timer 1 */
    if (t == &timers[4] && strlen(fired) < 10)
        timer_set(t, clock_ms(), note); /* fires in the next iteration, after the other due timers */
    done = done || strlen(fired) == 10;
}

static void timers_in_order(void **state)
{
    int64_t now = clock_ms();

    (void)state;
    memset(timers, 0, sizeof timers);
    fired[0] = '\0';
    timer_set(&timers[0], now + 12, note);
    timer_set(&timers[1], now + 4, note);
    timer_set(&timers[2], now + 8, note);
    timer_set(&timers[3], now + 4, note);
    timer_set(&timers[5], now + 1, note);
    timer_set(&timers[5], now + 20, note); /* replaces the earlier time */
    timer_set(&timers[6], now + 2, note);
    timer_clear(&timers[6]);
    timer_clear(&timers[6]);
    run_for(40);
    assert_string_equal(fired, "1205");
    assert_true(clock_ms() >= now + 40); /* never early */
}

static void timer_set_for_now_fires_in_next_iteration(void **state)
{
    int64_t now = clock_ms();

    (void)state;
    memset(timers, 0, sizeof timers);
    fired[0] = '\0';
    timer_set(&timers[4], now, note);
    timer_set(&timers[0], now, note);
    run_for(20000);
    assert_string_equal(fired, "4044444444");
}

static int turns;

static bool turned(void)
{
    done = ++turns % 3 == 0;
    return true;
}

static void runs_function_of_each_iteration(void **state)
{
    (void)state;
    loop_each_turn(turned);
    once(); /* called before the first wait too, for work from before the loop; true skips the wait */
    assert_int_equal(turns, 3);
    once();
    assert_int_equal(turns, 6);
    loop_each_turn(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events),
        cmocka_unit_test(drops_events_of_removed_watch),
        cmocka_unit_test(timers_in_order),
        cmocka_unit_test(timer_set_for_now_fires_in_next_iteration),
        cmocka_unit_test(runs_function_of_each_iteration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
