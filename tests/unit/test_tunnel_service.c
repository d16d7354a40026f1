/* SPDX-License-Identifier: MIT */
/* Clients that wait for the start of a tunnel's program or ssh: service.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <event/loop.h>
#include <tunnel/service.h>

static struct target target = {.ready = true};
static struct tunnel_service service;
/* A letter per client, in lower case if the tunnel is up and in upper case if it failed; `+` or `-` for
 * opened(). */
static char told[32];
static int starts;
static bool is_over;

struct client {
    struct waiter waiter;
    char name;
    struct client *cancels, *adds; /* what it does in its go() */
};

static void note(char c)
{
    const char text[] = {c, '\0'};

    strncat(told, text, sizeof told - strlen(told) - 1);
}

static void go(struct waiter *w, const struct err *e)
{
    struct client *c = OWNER_OF(w, struct client, waiter);

    note((char)(e ? c->name - 'a' + 'A' : c->name));
    if (c->cancels)
        assert_true(service_cancel(&service, &c->cancels->waiter));
    if (c->adds)
        service_await(&service, &c->adds->waiter);
}

static void start(void)
{
    starts++;
}

static bool never_again(struct err *e)
{
    if (is_over)
        (void)err_set(e, ERR_LOGIN, "it needs the user");
    return is_over;
}

static void opened(const struct err *e)
{
    note(e ? '-' : '+');
}

static int begin(void **state)
{
    (void)state;
    service = (struct tunnel_service){.start = start, .never_again = never_again};
    is_over = false;
    starts = 0;
    *told = '\0';
    service_open(&service, &target, opened);
    return 0;
}

static void clients_are_served_in_order(void **state)
{
    struct client a = {.waiter.go = go, .name = 'a'}, b = {.waiter.go = go, .name = 'b'};
    struct client c = {.waiter.go = go, .name = 'c'};

    (void)state;
    service_await(&service, &a.waiter);
    service_await(&service, &b.waiter);
    assert_string_equal(told, "");
    service_settled(&service, NULL);
    service_await(&service, &c.waiter);
    assert_string_equal(told, "+abc");
    assert_int_equal(starts, 1);
    assert_false(service_cancel(&service, &a.waiter));
}

static void a_client_cancels_another_while_they_are_served(void **state)
{
    struct client c = {.waiter.go = go, .name = 'c'}, b = {.waiter.go = go, .name = 'b'};
    struct client a = {.waiter.go = go, .name = 'a', .cancels = &c};

    (void)state;
    service_await(&service, &a.waiter);
    service_await(&service, &b.waiter);
    service_await(&service, &c.waiter);
    service_settled(&service, NULL);
    assert_string_equal(told, "+ab");
}

/* It gets the result of its own start, not that of the start before. */
static void a_client_added_while_others_are_refused_waits_for_the_next_start(void **state)
{
    struct err e = ERR_INIT;
    struct client b = {.waiter.go = go, .name = 'b'};
    struct client a = {.waiter.go = go, .name = 'a', .adds = &b};

    (void)state;
    service.restart.from -= RESTART_MOST_MS; /* its start took longer than the pause */
    service_await(&service, &a.waiter);
    (void)err_set(&e, ERR_UNREACHABLE, "no answer within 10s");
    service_settled(&service, &e);
    assert_string_equal(told, "-A");
    assert_int_equal(starts, 2);
    service_settled(&service, NULL);
    assert_string_equal(told, "-Ab");
}

static void a_lost_tunnel(void **state)
{
    struct err e = ERR_INIT;
    struct client a = {.waiter.go = go, .name = 'a'}, b = {.waiter.go = go, .name = 'b'};

    (void)state;
    (void)err_set(&e, ERR_UNREACHABLE, "it has ended");
    service_settled(&service, NULL);
    service_await_next(&service, &a.waiter); /* the tunnel is up, but a waits for the next start */
    assert_string_equal(told, "+");
    service.restart.from -= RESTART_MOST_MS;
    service_lost(&service, &e);
    assert_int_equal(starts, 2); /* for a */
    service_settled(&service, NULL);
    assert_string_equal(told, "+a");
    service_lost(&service, &e);
    assert_int_equal(starts, 2);        /* no client waits */
    service_await(&service, &b.waiter); /* within the pause */
    assert_string_equal(told, "+aB");
    assert_int_equal(starts, 2);
}

static void a_tunnel_that_cannot_be_restarted_refuses_at_once(void **state)
{
    struct err e = ERR_INIT;
    struct client a = {.waiter.go = go, .name = 'a'}, b = {.waiter.go = go, .name = 'b'};

    (void)state;
    (void)err_set(&e, ERR_UNREACHABLE, "it has ended");
    service_settled(&service, NULL);
    service_await_next(&service, &a.waiter);
    service.restart.from -= RESTART_MOST_MS;
    is_over = true;
    service_lost(&service, &e);
    service_await(&service, &b.waiter);
    assert_string_equal(told, "+AB");
    assert_int_equal(starts, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(clients_are_served_in_order, begin),
        cmocka_unit_test_setup(a_client_cancels_another_while_they_are_served, begin),
        cmocka_unit_test_setup(a_client_added_while_others_are_refused_waits_for_the_next_start, begin),
        cmocka_unit_test_setup(a_lost_tunnel, begin),
        cmocka_unit_test_setup(a_tunnel_that_cannot_be_restarted_refuses_at_once, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
