/* SPDX-License-Identifier: MIT */
/*
 * What a client is started with if the keeper logs in: its option file and environment do not contain the
 * server's password. The route is set up by hand; no keeper is started here.
 */
#include <fcntl.h>

#include "../../src/session/launch.h"
#include "../../src/session/route.h"
#include "plan_fixture.h"

#define SERVER_PASSWORD "hunter2"
#define RUN_PASSWORD "0123456789abcdef0123456789abcdef"
#define IAM                                                                                                  \
    "host = db.c9akciq32.eu-west-1.rds.amazonaws.com\nuser = app\ndatabase = shop\nauth = iam\n"             \
    "server_public_key = yes\nmy_cnf = yes\n"

struct started {
    struct session session;
    struct made made;
};

static void started_release(struct started *s)
{
    s->session.route->listener[0].path = s->session.route->listener[1].host = NULL;
    route_release(s->session.route);
    free(s->session.route);
    credential_release(&s->session.credential);
    made_release(&s->made);
}
#define AUTO_STARTED(name) __attribute__((cleanup(started_release))) struct started name = {0}

/* Sets up a session as session_login() does. */
static void start(const char *body, enum purpose purpose, const struct facts *facts, struct started *s)
{
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    text = mem_printf("[profile p]\n%s", body);
    assert_int_equal(derive_text(text, "p", NULL, 0, &s->made, &e), 0);
    assert_int_equal(plan_make(&s->made.profile, facts, purpose, &s->made.plan, &e), 0);
    s->session.profile = s->made.profile;
    s->session.plan = s->made.plan;
    s->session.credential.password = secret_from(SERVER_PASSWORD, sizeof SERVER_PASSWORD - 1);
    s->session.credential.expires_at = 1795244400;
    s->session.credential.cleartext = true;
    s->session.route = mem_alloc(1, sizeof *s->session.route);
    *s->session.route = (struct route)ROUTE_INIT;
    s->session.route->listener[0] =
        (struct local_address){.kind = LISTENER_LOGIN, .path = TEXT("/run/x.sock")};
    s->session.route->listener[1] =
        (struct local_address){.kind = LISTENER_LOGIN, .host = TEXT("127.0.0.1"), .port = 4000};
    s->session.route->listeners = purpose == FOR_CLIENT ? 1 : 2;
    s->session.route->password = secret_from(RUN_PASSWORD, sizeof RUN_PASSWORD - 1);
    s->session.route->nothing = secret_new(0);
}

static void file_text(const struct session *s, enum flavour f, struct buf *out)
{
    AUTO_FD(fd);
    struct err e = ERR_INIT;
    bool by_env = true;
    char chunk[4096];

    assert_int_equal(launch_option_file(s, f, false, &fd, &by_env, &e), 0);
    assert_false(by_env);
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;)
        buf_add(out, chunk, (size_t)n);
}

static bool contains_none_of(const struct buf *text, const char *const *strings)
{
    for (; *strings; strings++) {
        if (strstr(buf_str(text), *strings)) {
            print_error("%s in:\n%s", *strings, buf_str(text));
            return false;
        }
    }
    return true;
}

/* The option file has no password, and no options that protect one: the client may reconnect and load all its
 * plug-ins, and it does not use TLS. */
static void file_of_a_stock_client(void **state)
{
    static const struct facts mysql = FACTS_MYSQL, mariadb = FACTS_MARIADB;
    static const char *const absent[] = {SERVER_PASSWORD, RUN_PASSWORD,         "skip-reconnect",
                                         "plugin-dir",    "cleartext-plugin=1", NULL};

    (void)state;
    for (int i = 0; i < 4; i++) {
        AUTO_STARTED(s);
        AUTO_BUF(text, 65536);
        enum flavour f = i % 2 ? FLAVOUR_MARIADB : FLAVOUR_MYSQL;
        start(i < 2 ? IAM : "host = db\nuser = app\ntls = preferred\nlogin = keeper\n",
              i < 2 ? FOR_CLIENT : FOR_TOOL, i % 2 ? &mariadb : &mysql, &s);
        file_text(&s.session, f, &text);
        assert_true(contains_none_of(&text, absent));
        assert_non_null(strstr(buf_str(&text), "\nuser=\"app\"\npassword=\"\"\nhost=\"localhost\"\n"
                                               "socket=\"/run/x.sock\"\nprotocol=SOCKET\n"));
        assert_non_null(strstr(buf_str(&text), i % 2 ? "\nskip-ssl\n" : "\nssl-mode=DISABLED\n"));
    }
}

/* Another program connects to the port, with the password of this run. */
static void file_of_another_program(void **state)
{
    static const struct facts facts = FACTS_MYSQL;
    static const char *const absent[] = {SERVER_PASSWORD, NULL};
    AUTO_STARTED(s);
    AUTO_BUF(text, 65536);

    (void)state;
    start(IAM, FOR_OTHER, &facts, &s);
    file_text(&s.session, FLAVOUR_UNKNOWN, &text);
    assert_true(contains_none_of(&text, absent));
    assert_non_null(
        strstr(buf_str(&text), "user=app\npassword=" RUN_PASSWORD "\nhost=127.0.0.1\nport=4000\n"));
    const struct connection c = launch_both_listeners(&s.session), driver = launch_for_driver(&s.session);
    assert_true(secret_equal(c.password, s.session.route->password));
    assert_true(secret_equal(driver.password, s.session.route->password));
    assert_string_equal(driver.host, "127.0.0.1");
    assert_string_equal(driver.socket, "/run/x.sock");
    assert_int_equal(driver.tls, TLS_DISABLED);
    assert_false(driver.cleartext || c.expires_at || c.fixed);
}

/* The client gets neither the user's own MYSQL_PWD nor the variable that the credential was read from. */
static void environment_of_a_client(void **state)
{
    static const struct facts facts = FACTS_MYSQL;
    AUTO_STARTED(s);
    AUTO_LAUNCH(launch);
    struct err e = ERR_INIT;
    bool unset_pwd = false, unset_source = false;

    (void)state;
    start("host = db\nuser = app\nauth = env\nauth_env = DB_PW\nlogin = keeper\n", FOR_CLIENT, &facts, &s);
    assert_int_equal(launch_prepare(&s.session, NULL, &launch, &e), 0);
    for (size_t i = 0; i < launch.env.count; i++) {
        const struct env_change *change = &launch.env.item[i];
        unset_pwd |= text_equal(change->name, "MYSQL_PWD") && !change->value;
        unset_source |= text_equal(change->name, "DB_PW") && !change->value;
        assert_false(change->secret);
    }
    assert_true(unset_pwd && unset_source);
    launch_forget(&s.session);
    assert_null(s.session.credential.password);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_of_a_stock_client),
        cmocka_unit_test(file_of_another_program),
        cmocka_unit_test(environment_of_a_client),
    };

    return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
