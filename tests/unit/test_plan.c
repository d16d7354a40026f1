/* SPDX-License-Identifier: MIT */
/*
 * Plans as text: config text and facts give the lines of --dry-run, or the error and its hint. The largest
 * tables are about the TLS level that each kind of server gets by default, and whether the client has an
 * option for it, because a mistake there sends a password to anyone who asks for it. No test here starts a
 * client; tests/cli does that.
 */
#include "plan_fixture.h"

#define REMOTE "host = db.example.com\nuser = app\n"
#define KEYCHAIN "keychain", "user"
#define RDS_NAME "db.c9akciq32.eu-west-1.rds.amazonaws.com"

/* The whole plan of [profile p], or of the URL `where`. */
static void plan_text(const char *body, const char *where, const struct facts *facts, enum purpose purpose,
                      char *const *args, struct buf *out)
{
    AUTO_MADE(made);
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    text = mem_printf("[profile p]\n%s", body);
    if (derive_text(text, where, NULL, 0, &made, &e) < 0 ||
        plan_make(&made.profile, facts, purpose, &made.plan, &e) < 0)
        error_text(&e, out);
    else
        plan_print(&made.plan, args, out);
}

static const struct golden {
    const char *body, *where; /* where: NULL is the profile p */
    enum flavour client;      /* unknown: another program */
    const char *socket;       /* the socket that answered */
    const char *text;
} goldens[] = {
    {REMOTE "database = shop\n", NULL, FLAVOUR_MYSQL, NULL,
     "endpoint    db.example.com:3306\n"
     "route       direct\n"
     "tls         required, by the client\n"
     "credential  stored password of app@db.example.com:3306\n"
     "address     db.example.com:3306\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {REMOTE "tls_ca = /etc/own.pem\nport = 3307\nauth = prompt\n", NULL, FLAVOUR_MARIADB, NULL,
     "endpoint    db.example.com:3307\n"
     "route       direct\n"
     "tls         verify-identity, by the client, /etc/own.pem\n"
     "credential  password of app@db.example.com:3307, asked for\n"
     "address     db.example.com:3307\n"
     "client      /usr/bin/mariadb --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {"host = ::1\nuser = app\nauth = none\nport = 4000\n", NULL, FLAVOUR_MARIADB, NULL,
     "endpoint    [::1]:4000\n"
     "route       direct\n"
     "tls         preferred, by the client\n"
     "credential  empty password\n"
     "address     [::1]:4000\n"
     "client      /usr/bin/mariadb --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {"", NULL, FLAVOUR_MYSQL, "/run/mysqld/mysqld.sock",
     "endpoint    /run/mysqld/mysqld.sock\n"
     "route       direct\n"
     "tls         preferred, by the client\n"
     "credential  the client's own option files\n"
     "address     unix socket\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    /* --dry-run does not try to connect to any socket */
    {"user = app\nauth = env\nauth_env = PW\n", NULL, FLAVOUR_MYSQL, NULL,
     "endpoint    auto\n"
     "route       direct\n"
     "tls         preferred, by the client\n"
     "credential  the variable PW\n"
     "address     unix socket\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {"socket = /srv/db.sock\nuser = app\nauth = file\nauth_file = /pw\ntls = disabled\n", NULL,
     FLAVOUR_UNKNOWN, NULL,
     "endpoint    /srv/db.sock\n"
     "route       direct\n"
     "tls         disabled\n"
     "credential  first line of /pw\n"
     "address     unix socket\n"
     "command     -e 'select 1'\n"},
    /* The arguments of a program may contain a secret, so they are not shown. */
    {REMOTE "via = direct\nauth = command\nauth_command = /opt/get-it 'a b' hunter2\ntls = preferred\n", NULL,
     FLAVOUR_UNKNOWN, NULL,
     "endpoint    db.example.com:3306\n"
     "route       direct\n"
     "tls         preferred, by the client\n"
     "credential  what /opt/get-it prints\n"
     "address     db.example.com:3306\n"
     "command     -e 'select 1'\n"},
    {"", "mysql://app:hunter2@db.example.com/shop", FLAVOUR_MYSQL, NULL,
     "endpoint    db.example.com:3306\n"
     "route       direct\n"
     "tls         required, by the client\n"
     "credential  password of the URL\n"
     "address     db.example.com:3306\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    /* The URL names another provider, so its password is not used. */
    {"", "mysql://app:hunter2@" RDS_NAME "/?auth=iam", FLAVOUR_MYSQL, NULL,
     "endpoint    " RDS_NAME ":3306\n"
     "login       aws profile default\n"
     "route       direct\n"
     "tls         verify-identity, by the keeper, /ca.pem\n"
     "credential  iam token for app, region eu-west-1\n"
     "keeper      logs in for each connection\n"
     "address     unix socket\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    /* A password needs a user, except if the provider may supply one. */
    {"", "mysql://:hunter2@db.example.com/", FLAVOUR_MYSQL, NULL,
     "78: the URL's password needs a user\nhint: give --user\n"},
    {"host = db\nauth = prompt\n", NULL, FLAVOUR_MYSQL, NULL,
     "78: auth = prompt needs a user\nhint: set user in [profile p]\n"},
    {"host = db\nauth = command\nauth_command = get\n", NULL, FLAVOUR_MYSQL, NULL,
     "endpoint    db:3306\n"
     "route       direct\n"
     "tls         required, by the client\n"
     "credential  what get prints\n"
     "address     db:3306\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    /* If a MariaDB client has no option for the level, the keeper handles TLS. */
    {REMOTE, NULL, FLAVOUR_MARIADB, NULL,
     "endpoint    db.example.com:3306\n"
     "route       direct\n"
     "tls         required, by the keeper\n"
     "credential  stored password of app@db.example.com:3306\n"
     "keeper      logs in for each connection\n"
     "address     unix socket\n"
     "client      /usr/bin/mariadb --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {REMOTE "via = tcp://127.0.0.1:13306\ntls_ca = /own.pem\n", NULL, FLAVOUR_MYSQL, NULL,
     "endpoint    db.example.com:3306\n"
     "route       tcp 127.0.0.1:13306\n"
     "tls         verify-identity, by the keeper, /own.pem\n"
     "credential  stored password of app@db.example.com:3306\n"
     "keeper      logs in for each connection\n"
     "address     unix socket\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {REMOTE "via = b\n[tunnel b]\ntype = ssh\nhost = bastion.example.com\nuser = ec2-user\n", NULL,
     FLAVOUR_MARIADB, NULL,
     "endpoint    db.example.com:3306\n"
     "route       ssh ec2-user@bastion.example.com:22\n"
     "tls         preferred, by the keeper\n"
     "credential  stored password of app@db.example.com:3306\n"
     "keeper      logs in for each connection\n"
     "address     unix socket\n"
     "client      /usr/bin/mariadb --defaults-file=/dev/fd/N -e 'select 1'\n"},
    {"socket = /run/s.sock\nuser = app\nauth = none\nvia = ssh://b:2222\n", NULL, FLAVOUR_MYSQL, NULL,
     "endpoint    /run/s.sock\n"
     "route       ssh b:2222\n"
     "tls         none, it is the server's own socket\n"
     "credential  empty password\n"
     "keeper      logs in for each connection\n"
     "address     unix socket\n"
     "client      /usr/bin/mysql --defaults-file=/dev/fd/N -e 'select 1'\n"},
    /* Another program gets a port and a socket. The arguments of a tunnel's command may contain a secret. */
    {REMOTE "via = t\n[tunnel t]\ntype = command\ncommand = aws ssm 'a b' hunter2 {local_port}\n", NULL,
     FLAVOUR_UNKNOWN, NULL,
     "endpoint    db.example.com:3306\n"
     "route       command aws\n"
     "tls         preferred, by the keeper\n"
     "credential  stored password of app@db.example.com:3306\n"
     "keeper      logs in for each connection\n"
     "address     127.0.0.1, a free port, and a unix socket\n"
     "command     -e 'select 1'\n"},
};

static void golden_plans(void **state)
{
    char *args[] = {TEXT("-e"), TEXT("select 1"), NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(goldens); i++) {
        const struct golden *g = &goldens[i];
        struct facts mysql = FACTS_MYSQL, mariadb = FACTS_MARIADB, *facts;
        AUTO_BUF(text, 65536);
        facts = g->client == FLAVOUR_MARIADB ? &mariadb : &mysql;
        facts->socket = TEXT(g->socket);
        plan_text(g->body, g->where ? g->where : "p", facts, g->client ? FOR_CLIENT : FOR_OTHER, args, &text);
        assert_string_equal(buf_str(&text), g->text);
    }
}

/* The same profile and facts give the same plan, and making one changes neither. */
static void plans_are_pure(void **state)
{
    struct facts facts = FACTS_MYSQL;
    AUTO_MADE(made);
    AUTO_BUF(first, 65536);
    AUTO_BUF(second, 65536);
    struct plan again = {0};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(derive_text("[profile p]\n" REMOTE, "p", NULL, 0, &made, &e), 0);
    assert_int_equal(plan_make(&made.profile, &facts, FOR_CLIENT, &made.plan, &e), 0);
    assert_int_equal(plan_make(&made.profile, &facts, FOR_CLIENT, &again, &e), 0);
    plan_print(&made.plan, NULL, &first);
    plan_print(&again, NULL, &second);
    plan_release(&again);
    assert_string_equal(buf_str(&first), buf_str(&second));
    assert_int_equal(plan_derive(&made.profile, &e), 0);
    buf_clear(&second);
    plan_print(&made.plan, NULL, &second);
    assert_string_equal(buf_str(&first), buf_str(&second));
}

/* --- values that are derived from other keys ------------------------------------------------------------ */

static const struct derived {
    const char *body;
    enum key key;
    const char *value, *from; /* from NULL: the value was set, not derived */
} derived_cases[] = {
    {"", KEY_auth, "client", "user"},
    {"user = a\n", KEY_auth, KEYCHAIN},
    {"user = a\nauth = prompt\n", KEY_auth, "prompt", NULL},
    {"", KEY_socket, "auto", "host"},
    {"host = h\n", KEY_socket, NULL, NULL},
    {"", KEY_tls, "preferred", "socket"},
    {"socket = /s\n", KEY_tls, "preferred", "socket"},
    {"socket = auto\ntls_ca = /ca\n", KEY_tls, "preferred", "socket"},
    {"socket = /s\nuser = a\ncleartext = yes\n", KEY_tls, "preferred", "socket"},
    {"host = localhost\n", KEY_tls, "preferred", "host"},
    {"host = 127.0.0.1\n", KEY_tls, "preferred", "host"},
    {"host = 127.9.8.7\n", KEY_tls, "preferred", "host"},
    {"host = ::1\n", KEY_tls, "preferred", "host"},
    {"host = 127.example.com\n", KEY_tls, "required", "host"},
    {"host = localhost.example.com\n", KEY_tls, "required", "host"},
    {"host = 10.0.0.1\n", KEY_tls, "required", "host"},
    {"host = ::2\n", KEY_tls, "required", "host"},
    {"host = db\nvia = direct\n", KEY_tls, "required", "host"},
    {"host = db\ntls_ca = /ca\n", KEY_tls, "verify-identity", "tls_ca"},
    {"host = localhost\ntls_ca = /ca\n", KEY_tls, "verify-identity", "tls_ca"},
    {"host = db\nuser = a\ncleartext = yes\n", KEY_tls, "verify-identity", "cleartext"},
    {"host = db\nuser = a\nauth = iam\n", KEY_tls, "verify-identity", "auth"},
    /* the server's own socket on the bastion; but where another kind of tunnel leads is not known */
    {"socket = /s\nvia = ssh://jump\nuser = a\ncleartext = yes\n", KEY_tls, "preferred", "socket"},
    {"socket = /s\nvia = tcp://127.0.0.1:1\nuser = a\ncleartext = yes\n", KEY_tls, "verify-identity",
     "cleartext"},
    {"host = db\nvia = ssh://jump\n", KEY_tls, "preferred", "via"},
    {"host = db\nvia = ssh://jump\ntls_ca = /ca\n", KEY_tls, "verify-identity", "tls_ca"},
    {"host = db\nvia = ssh://jump\nuser = a\nauth = iam\n", KEY_tls, "verify-identity", "auth"},
    {"host = db\ntls = disabled\ntls_ca = /ca\n", KEY_tls, "disabled", NULL},
};

static void derived_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(derived_cases); i++) {
        const struct derived *d = &derived_cases[i];
        AUTO_MADE(made);
        AUTO_FREE(char *, text);
        struct err e = ERR_INIT;

        text = mem_printf("[profile p]\n%s", d->body);
        if (derive_text(text, "p", NULL, 0, &made, &e) < 0)
            fail_msg("%s: %s", d->body, e.msg);
        const struct setting *s = &made.profile.set[d->key];
        if (!text_equal(s->value, d->value))
            fail_msg("%s: %s, not %s", d->body, s->value, d->value);
        if (d->from) {
            assert_int_equal(s->origin, ORIGIN_DERIVED);
            assert_string_equal(s->from, d->from);
        }
    }
}

/* --- TLS levels by client family ------------------------------------------------------------------------ */

#define BY_KEEPER(level) level ", by the keeper"
#define NO_CA(level)                                                                                         \
    "78: tls = " level ", but this system has no file of CA certificates\n"                                  \
    "hint: set tls_ca to the PEM file of the server's CA, or install ca-certificates\n"
#define SOCKET_TLS(level)                                                                                    \
    "78: tls = " level " over the server's own socket\n"                                                     \
    "hint: set tls = preferred (a local socket does not use the network), or set host for TCP\n"
#define CLEAR(level, alternative)                                                                            \
    "78: tls = " level " with a password sent in cleartext\nhint: set tls = verify-identity" alternative "\n"
#define OR_WRITE ", or write tls = required in the profile itself"

/* The tls row without its label, with `!` in front if the client's plug-ins are restricted; or the error. */
static void tls_text(const char *body, const struct override *override, const struct facts *facts,
                     struct buf *out)
{
    AUTO_MADE(made);
    AUTO_BUF(plan, 65536);
    struct err e = ERR_INIT;

    if (derive_text(body, "p", override, override ? 1 : 0, &made, &e) < 0 ||
        plan_make(&made.profile, facts, FOR_CLIENT, &made.plan, &e) < 0) {
        error_text(&e, out);
        return;
    }
    plan_print(&made.plan, NULL, &plan);
    const char *row = strstr(buf_str(&plan), "\ntls         ");
    assert_non_null(row);
    row += sizeof "\ntls         " - 1;
    buf_puts(out, made.plan.restrict_plugins ? "! " : "");
    buf_add(out, row, strcspn(row, "\n"));
}

static const struct level {
    const char *body, *mysql, *mariadb;
} levels[] = {
    {REMOTE "tls = disabled\n", "disabled", "! disabled"},
    {REMOTE "tls = preferred\n", "preferred, by the client", "! preferred, by the client"},
    {REMOTE, "required, by the client", "! " BY_KEEPER("required")},
    {REMOTE "tls = required\n", "required, by the client", "! " BY_KEEPER("required")},
    {REMOTE "tls = verify-ca\n", "verify-ca, by the client, /ca.pem", BY_KEEPER("verify-ca") ", /ca.pem"},
    {REMOTE "tls = verify-identity\n", "verify-identity, by the client, /ca.pem",
     "verify-identity, by the client, /ca.pem"},
    {REMOTE "tls_ca = /own.pem\n", "verify-identity, by the client, /own.pem",
     "verify-identity, by the client, /own.pem"},
    {REMOTE "tls_ca = /own.pem\ntls = verify-ca\n", "verify-ca, by the client, /own.pem",
     BY_KEEPER("verify-ca") ", /own.pem"},
    /* Levels that do not verify use no CA certificates. */
    {REMOTE "tls_ca = /own.pem\ntls = required\n", "required, by the client", "! " BY_KEEPER("required")},
    /* MariaDB's clients do not verify the name of a server on this machine; 11.4 does not even report it. */
    {"host = localhost\nuser = a\ntls = verify-identity\n", "verify-identity, by the client, /ca.pem",
     BY_KEEPER("verify-identity") ", /ca.pem"},
    {"host = 127.0.0.2\nuser = a\ntls_ca = /own.pem\n", "verify-identity, by the client, /own.pem",
     BY_KEEPER("verify-identity") ", /own.pem"},
    {"host = ::1\nuser = a\ntls = verify-identity\n", "verify-identity, by the client, /ca.pem",
     BY_KEEPER("verify-identity") ", /ca.pem"},
    /* The server's own socket needs no TLS, and it has no name that could be verified. */
    {"socket = /s\nuser = a\n", "preferred, by the client", "preferred, by the client"},
    {"socket = /s\nuser = a\nvia = ssh://b\n", "preferred, by the client", "preferred, by the client"},
    {"socket = /s\nuser = a\nvia = ssh://b\ntls = required\n", SOCKET_TLS("required"),
     SOCKET_TLS("required")},
    {"socket = /s\nuser = a\ntls = disabled\n", "disabled", "disabled"},
    {"user = a\ntls = required\n", SOCKET_TLS("required"), SOCKET_TLS("required")},
    {"socket = /s\nuser = a\ntls = verify-identity\n", SOCKET_TLS("verify-identity"),
     SOCKET_TLS("verify-identity")},
    /* A cleartext password needs verified TLS; tls = required is enough if the profile itself sets it. */
    {REMOTE "cleartext = yes\n", "verify-identity, by the client, /ca.pem",
     "verify-identity, by the client, /ca.pem"},
    {REMOTE "cleartext = yes\ntls = disabled\n", CLEAR("disabled", ""), CLEAR("disabled", "")},
    {REMOTE "cleartext = yes\ntls = preferred\n", CLEAR("preferred", ""), CLEAR("preferred", "")},
    {REMOTE "cleartext = yes\ntls = required\n", "required, by the client", BY_KEEPER("required")},
    {REMOTE "cleartext = yes\ntls = verify-ca\n", "verify-ca, by the client, /ca.pem",
     BY_KEEPER("verify-ca") ", /ca.pem"},
    {"host = localhost\nuser = a\ncleartext = yes\n", "verify-identity, by the client, /ca.pem",
     BY_KEEPER("verify-identity") ", /ca.pem"},
    {"socket = /s\nuser = a\ncleartext = yes\n", "preferred, by the client", "preferred, by the client"},
    {REMOTE "cleartext = yes\n[defaults]\ntls = required\n", CLEAR("required", OR_WRITE),
     CLEAR("required", OR_WRITE)},
    {REMOTE "cleartext = yes\n[defaults]\ntls = preferred\n", CLEAR("preferred", ""), CLEAR("preferred", "")},
    /* auth = client: the client's own configuration decides, also about its plug-ins. */
    {"host = db\n[defaults]\ntls = preferred\n", "preferred, by the client", "preferred, by the client"},
};

static void levels_by_client(void **state)
{
    static const struct facts mysql = FACTS_MYSQL, mariadb = FACTS_MARIADB;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        AUTO_FREE(char *, text);
        AUTO_BUF(by_mysql, 4096);
        AUTO_BUF(by_mariadb, 4096);
        text = mem_printf("[profile p]\nlogin = client\n%s", levels[i].body);
        tls_text(text, NULL, &mysql, &by_mysql);
        tls_text(text, NULL, &mariadb, &by_mariadb);
        assert_string_equal(buf_str(&by_mysql), levels[i].mysql);
        assert_string_equal(buf_str(&by_mariadb), levels[i].mariadb);
    }
}

/*
 * Whether the client or the keeper handles TLS, for each level and each family of MySQL clients: with a
 * direct route, with a direct route to this machine, and through a tunnel. `C` the client makes it, `K` the
 * keeper; then the address to which the client connects: the endpoint itself, 127.0.0.1 or a unix socket. `=`
 * the name that the keeper verifies; `!` the client's plug-ins are restricted.
 */
static const struct tls_row {
    const char *tls, *mysql, *mariadb, *mysql_here, *mariadb_here, *mysql_tunnelled, *mariadb_tunnelled;
} tls_rows[] = {
    {"disabled", "C endpoint", "! C endpoint", "C endpoint", "! C endpoint", "C 127.0.0.1", "! C 127.0.0.1"},
    {"preferred", "C endpoint", "! C endpoint", "C endpoint", "! C endpoint", "C 127.0.0.1", "! C 127.0.0.1"},
    {"required", "C endpoint", "! K unix", "C endpoint", "! K unix", "K unix", "! K unix"},
    {"verify-ca", "C endpoint", "K unix", "C endpoint", "K unix", "K unix", "K unix"},
    {"verify-identity", "C endpoint", "C endpoint", "C endpoint", "K unix =127.0.0.1",
     "K unix =db.example.com", "K unix =db.example.com"},
};

static void tls_and_address(const char *login, const char *body, const struct facts *facts,
                            enum purpose purpose, struct buf *out)
{
    AUTO_MADE(made);
    AUTO_FREE(char *, text);
    struct err e = ERR_INIT;

    text = mem_printf("[profile p]\nlogin = %s\n%s", login, body);
    if (derive_text(text, "p", NULL, 0, &made, &e) < 0 ||
        plan_make(&made.profile, facts, purpose, &made.plan, &e) < 0) {
        error_text(&e, out);
        return;
    }
    const struct plan *plan = &made.plan;
    buf_printf(out, "%s%s %s", plan->restrict_plugins ? "! " : "", plan->tls_by_keeper ? "K" : "C",
               !plan->keeper         ? "endpoint"
               : plan->unix_listener ? "unix"
                                     : "127.0.0.1");
    if (plan->tls_by_keeper && plan->conn.tls == TLS_VERIFY_IDENTITY)
        buf_printf(out, " =%s", plan->tls_name);
    if (plan->login_by_keeper)
        buf_puts(out, " login");
    assert_int_equal(plan->conn.fixed, plan->keeper && !plan->login_by_keeper);
}

static void tls_by_client_or_keeper(void **state)
{
    static const struct facts mysql = FACTS_MYSQL, mariadb = FACTS_MARIADB;
    static const char *const places[] = {
        "host = db.example.com\n",
        "host = 127.0.0.1\n",
        "host = db.example.com\nvia = tcp://127.0.0.1:1\n",
        "host = db.example.com\nvia = t\n[tunnel t]\ntype = command\ncommand = x {socket}\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tls_rows); i++) {
        const struct tls_row *row = &tls_rows[i];
        const char *const texts[][2] = {{row->mysql, row->mariadb},
                                        {row->mysql_here, row->mariadb_here},
                                        {row->mysql_tunnelled, row->mariadb_tunnelled},
                                        {row->mysql_tunnelled, row->mariadb_tunnelled}};
        for (size_t j = 0; j < ARRAY_LEN(places) * 2; j++) {
            AUTO_FREE(char *, body);
            AUTO_BUF(text, 4096);
            body = mem_printf("user = app\ntls = %s\n%s", row->tls, places[j / 2]);
            tls_and_address("client", body, j % 2 ? &mariadb : &mysql, FOR_CLIENT, &text);
            assert_string_equal(buf_str(&text), texts[j / 2][j % 2]);
        }
    }
}

#define SIGNED "auth = iam\nsign_host = db.c9akciq32.eu-west-1.rds.amazonaws.com\n"
static const struct {
    const char *body;
    enum purpose purpose;
    const char *text;
} special_cases[] = {
    /* The name that is verified is the one for which the token is signed, whatever the address is. */
    {"host = 10.0.0.1\n" SIGNED, FOR_CLIENT, "K unix =db.c9akciq32.eu-west-1.rds.amazonaws.com"},
    {"host = 10.0.0.1\ntls = verify-ca\n" SIGNED, FOR_CLIENT, "C endpoint"},
    {"host = db\nvia = tcp://127.0.0.1:1\n" SIGNED, FOR_CLIENT,
     "K unix =db.c9akciq32.eu-west-1.rds.amazonaws.com"},
    {"host = 10.0.0.1\nauth = none\nsign_host = db\ntls = verify-identity\n", FOR_CLIENT, "C endpoint"},
    /* It is not known whether another program uses TLS; a MySQL client does as our option file says. */
    {"host = db\ntls = disabled\n", FOR_OTHER, "! C endpoint"},
    {"host = db\ntls = preferred\n", FOR_OTHER, "! C endpoint"},
    {"host = db\ntls = required\n", FOR_OTHER, "! K unix"},
    {"host = db\ntls = verify-ca\n", FOR_OTHER, "K unix"},
    {"host = db\ntls = verify-identity\n", FOR_OTHER, "K unix =db"},
    {"host = 127.0.0.1\ntls = verify-identity\n", FOR_OTHER, "K unix =127.0.0.1"},
    {"socket = /s\n", FOR_OTHER, "C endpoint"},
    {"host = db\ntls = required\n", FOR_TOOL, "C endpoint"},
    {"host = db\ntls = verify-identity\n", FOR_TOOL, "C endpoint"},
    {"host = db\ntls = required\nvia = tcp://127.0.0.1:1\n", FOR_OTHER, "! K unix"},
    {"host = db\ntls = preferred\nvia = tcp://127.0.0.1:1\n", FOR_OTHER, "! C 127.0.0.1"},
    {"host = db\ntls = verify-ca\nvia = tcp://127.0.0.1:1\n", FOR_TOOL, "K unix"},
    {"host = db\ntls = preferred\nauth = client\n", FOR_OTHER, "C endpoint"},
    /* A forward always has a keeper, and needs no credential. */
    {"host = db\ntls = required\nauth = vault\n", FOR_FORWARD, "K unix"},
    {"host = db\ntls = preferred\nauth = env\n", FOR_FORWARD, "C 127.0.0.1"},
    {"socket = /s\n", FOR_FORWARD, "C unix"},
    /* A socket on the bastion is the server's own, although the client connects to it through a keeper. */
    {"socket = /s\nvia = ssh://b\n", FOR_CLIENT, "C unix"},
    {"socket = /s\nvia = ssh://b\ncleartext = yes\n", FOR_OTHER, "C unix"},
    {"host = db\nvia = ssh://b\ntls = verify-identity\n", FOR_CLIENT, "K unix =db"},
    /* Where a tcp tunnel leads is not known, so the socket may not be the server's own. */
    {"socket = /s\nvia = tcp://127.0.0.1:1\n", FOR_CLIENT, "C 127.0.0.1"},
    {"socket = /s\nvia = tcp://127.0.0.1:1\ntls = required\n", FOR_CLIENT, "K unix"},
};

static void tls_in_special_cases(void **state)
{
    static const struct facts facts = FACTS_MYSQL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(special_cases); i++) {
        AUTO_BUF(text, 4096);
        AUTO_FREE(char *, body);
        body = mem_printf("user = app\n%s", special_cases[i].body);
        tls_and_address("client", body, &facts, special_cases[i].purpose, &text);
        assert_string_equal(buf_str(&text), special_cases[i].text);
    }
}

/* --- whether the client or the keeper logs in ----------------------------------------------------------- */

#define DB "host = db\nuser = app\n"
#define RDS "host = " RDS_NAME "\nuser = app\nauth = iam\n"
#define VAULT "auth = vault\nvault_addr = https://v\nvault_path = database/creds/r\n"
#define TUNNELLED "via = tcp://127.0.0.1:1\n"
#define NO_LOGIN(subject, why, otherwise)                                                                    \
    "78: " subject ": " why "\nhint: " otherwise ", or "                                                     \
    "login = client\n"
#define CLEAR_LOGIN "it sends a password in cleartext only at tls = verify-identity"

/* The results of `login = auto` and `login = keeper`. */
static const struct login_row {
    const char *body;
    enum flavour client; /* unknown: another program */
    const char *by_auto, *by_keeper;
} login_rows[] = {
    /* A long-lived password, and a client that can handle TLS: no keeper is needed. */
    {DB, FLAVOUR_MYSQL, "C endpoint", "K unix login"},
    {DB "auth = file\nauth_file = /f\ntls = preferred\n", FLAVOUR_MARIADB, "! C endpoint", "K unix login"},
    {DB "auth = command\nauth_command = x\n", FLAVOUR_MYSQL, "C endpoint", "K unix login"},
    {DB "auth = none\ntls = disabled\n", FLAVOUR_UNKNOWN, "! C endpoint", "K unix login"},
    /* A keeper is needed anyway. */
    {DB, FLAVOUR_MARIADB, "K unix login", "K unix login"},
    {DB, FLAVOUR_UNKNOWN, "K unix login", "K unix login"},
    {DB TUNNELLED, FLAVOUR_MYSQL, "K unix login", "K unix login"},
    {DB TUNNELLED "tls = disabled\n", FLAVOUR_MARIADB, "K unix login", "K unix login"},
    {DB TUNNELLED "tls = verify-identity\n", FLAVOUR_MYSQL, "K unix =db login", "K unix =db login"},
    {DB "auth = env\nauth_env = PW\n" TUNNELLED, FLAVOUR_UNKNOWN, "K unix login", "K unix login"},
    {"socket = /s\nuser = app\nvia = ssh://b\n", FLAVOUR_MYSQL, "K unix login", "K unix login"},
    /* The credential expires. */
    {RDS, FLAVOUR_MYSQL, "K unix =" RDS_NAME " login", "K unix =" RDS_NAME " login"},
    {RDS, FLAVOUR_MARIADB, "K unix =" RDS_NAME " login", "K unix =" RDS_NAME " login"},
    {RDS, FLAVOUR_UNKNOWN, "K unix =" RDS_NAME " login", "K unix =" RDS_NAME " login"},
    {"host = db\ntls = preferred\n" VAULT, FLAVOUR_MYSQL, "K unix login", "K unix login"},
    {"socket = /s\n" VAULT, FLAVOUR_UNKNOWN, "K unix login", "K unix login"},
    /* The keeper sends a password in cleartext only at verify-identity, or to the server's own socket. */
    {RDS "tls = verify-ca\n", FLAVOUR_MYSQL, "C endpoint",
     NO_LOGIN("login = keeper", CLEAR_LOGIN, "set tls = verify-identity")},
    {DB "cleartext = yes\ntls = required\n", FLAVOUR_UNKNOWN, "K unix",
     NO_LOGIN("login = keeper", CLEAR_LOGIN, "set tls = verify-identity")},
    {"socket = /s\nuser = app\ncleartext = yes\nvia = ssh://b\n", FLAVOUR_MYSQL, "K unix login",
     "K unix login"},
    /* Only the client knows the user or the password. */
    {"host = db\n" TUNNELLED, FLAVOUR_MYSQL, "C 127.0.0.1",
     NO_LOGIN("login = keeper", "auth = client leaves user and password to the client", "set auth")},
    {"host = db\nauth = none\n" TUNNELLED, FLAVOUR_MYSQL, "C 127.0.0.1",
     NO_LOGIN("login = keeper", "it needs a user", "set user")},
};

static void login_by_client_or_keeper(void **state)
{
    static const struct facts mysql = FACTS_MYSQL, mariadb = FACTS_MARIADB;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(login_rows); i++) {
        const struct login_row *row = &login_rows[i];
        const struct facts *facts = row->client == FLAVOUR_MARIADB ? &mariadb : &mysql;
        struct facts expires = *facts;
        enum purpose purpose = row->client ? FOR_CLIENT : FOR_OTHER;
        AUTO_BUF(by_auto, 4096);
        AUTO_BUF(then, 4096);
        AUTO_BUF(by_keeper, 4096);
        AUTO_BUF(by_client, 4096);
        tls_and_address("auto", row->body, facts, purpose, &by_auto);
        assert_string_equal(buf_str(&by_auto), row->by_auto);
        tls_and_address("keeper", row->body, facts, purpose, &by_keeper);
        assert_string_equal(buf_str(&by_keeper), row->by_keeper);
        /* A credential that is known to expire needs a keeper, if a keeper can log in. */
        expires.expires = true;
        tls_and_address("auto", row->body, &expires, purpose, &then);
        assert_string_equal(buf_str(&then),
                            text_starts(row->by_keeper, "78: ") ? row->by_auto : row->by_keeper);
        tls_and_address("client", row->body, facts, purpose, &by_client);
        assert_null(strstr(buf_str(&by_client), "login"));
    }
}

/* A forward passes bytes on, except with --inject: then its keeper logs in, whatever `login` says. */
static void login_at_a_forward(void **state)
{
    static const struct {
        const char *login, *body;
        enum purpose purpose;
        const char *text;
    } rows[] = {
        {"auto", DB TUNNELLED, FOR_FORWARD, "C 127.0.0.1"},
        {"keeper", RDS, FOR_FORWARD, "K unix =" RDS_NAME},
        {"auto", DB "tls = disabled\n", FOR_INJECT, "K unix login"},
        {"client", RDS, FOR_INJECT, "K unix =" RDS_NAME " login"},
        {"auto", "host = db\n", FOR_INJECT,
         "78: --inject: auth = client leaves user and password to the client\n"
         "hint: set auth, or no --inject\n"},
        {"auto", DB "cleartext = yes\ntls = verify-ca\n", FOR_INJECT,
         "78: --inject: " CLEAR_LOGIN "\nhint: set tls = verify-identity, or no --inject\n"},
        {"keeper", RDS, FOR_PARAMS, "C endpoint"},
        {"keeper", RDS, FOR_SECRET, "C endpoint"},
    };
    static const struct facts facts = FACTS_MYSQL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(text, 4096);
        tls_and_address(rows[i].login, rows[i].body, &facts, rows[i].purpose, &text);
        assert_string_equal(buf_str(&text), rows[i].text);
    }
}

/* If the client logs in, no process of broker is left that could revoke the lease. */
static void revoking(void **state)
{
    static const struct facts facts = FACTS_MYSQL;
    AUTO_BUF(by_client, 4096);
    AUTO_BUF(by_keeper, 4096);
    AUTO_BUF(secret, 4096);

    (void)state;
    tls_and_address("client", "host = db\nvault_revoke = yes\n" VAULT, &facts, FOR_CLIENT, &by_client);
    assert_string_equal(buf_str(&by_client),
                        "78: vault_revoke = yes, but the client logs in, so the lease would not be revoked\n"
                        "hint: login = keeper, or vault_revoke = no\n");
    tls_and_address("auto", "host = db\nvault_revoke = yes\n" VAULT, &facts, FOR_CLIENT, &by_keeper);
    assert_string_equal(buf_str(&by_keeper), "K unix login");
    tls_and_address("client", "host = db\nvault_revoke = yes\n" VAULT, &facts, FOR_SECRET, &secret);
    assert_string_equal(buf_str(&secret), "C endpoint");
}

static void no_ca_certificates(void **state)
{
    static const char *const names[] = {"verify-ca", "verify-identity"};
    static const char *const texts[] = {NO_CA("verify-ca"), NO_CA("verify-identity")};
    struct facts mysql = FACTS_MYSQL, mariadb = FACTS_MARIADB;

    (void)state;
    mysql.ca_file = mariadb.ca_file = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE(char *, text);
        AUTO_BUF(by_mysql, 4096);
        AUTO_BUF(by_mariadb, 4096);
        text = mem_printf("[profile p]\n" REMOTE "tls = %s\n", names[i]);
        tls_text(text, NULL, &mysql, &by_mysql);
        tls_text(text, NULL, &mariadb, &by_mariadb);
        assert_string_equal(buf_str(&by_mysql), texts[i]);
        assert_string_equal(buf_str(&by_mariadb), texts[i]);
    }
}

/* A flag is typed in a hurry, so it cannot lower the protection of a password that is sent in cleartext. The
 * same holds for BROKER_TLS. */
static void flags_do_not_lower_protection(void **state)
{
    static const struct {
        const char *flag, *text;
    } cases[] = {
        {"required", CLEAR("required", OR_WRITE)},
        {"preferred", CLEAR("preferred", "")},
        {"disabled", CLEAR("disabled", "")},
        {"verify-ca", "verify-ca, by the client, /ca.pem"},
    };
    static const struct facts facts = FACTS_MYSQL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct override tls = {"tls", cases[i].flag, "--tls"}, none = {"user", "app", "--user"};
        AUTO_BUF(text, 4096);
        AUTO_BUF(from_env, 4096);
        tls_text("[profile p]\n" REMOTE "cleartext = yes\n", &tls, &facts, &text);
        assert_string_equal(buf_str(&text), cases[i].text);
        assert_int_equal(setenv("BROKER_TLS", cases[i].flag, 1), 0);
        tls_text("[profile p]\n" REMOTE "cleartext = yes\n", &none, &facts, &from_env);
        assert_int_equal(unsetenv("BROKER_TLS"), 0);
        assert_string_equal(buf_str(&from_env), cases[i].text);
    }
}

/* --- errors --------------------------------------------------------------------------------------------- */

static const struct refusal {
    const char *body, *text;
} refusals[] = {
    {REMOTE "auth = vault\nvault_addr = v\nvault_path = database/creds/r\n",
     "78: auth = vault creates the user, so user cannot be set\nhint: remove user, or leave it empty if it "
     "is "
     "inherited\n"},
    {REMOTE "auth = helper\n",
     "78: auth = helper needs auth_helper\nhint: auth_helper = NAME or /PATH of a git "
     "or docker credential helper\n"},
    {"host = db\nauth = keychain\n", "78: auth = keychain needs a user\nhint: set user in [profile p]\n"},
    {REMOTE "auth = command\n",
     "78: auth = command needs auth_command\nhint: auth_command = PROGRAM ARG...\n"},
    {REMOTE "auth = file\n",
     "78: auth = file needs auth_file\nhint: set auth_file = ~/path/to/a/file, mode 0600\n"},
    {REMOTE "auth = env\n", "78: auth = env needs auth_env\nhint: auth_env = NAME_OF_THE_VARIABLE\n"},
    {"host = 127.0.0.1\nport = 13306\nuser = app\nauth = iam\n",
     "78: not the server's name, so no token for it is valid\n"
     "hint: set host to the RDS name and via = tcp://127.0.0.1:13306\n"},
    {"host = 127.1\nuser = app\nauth = iam\n",
     "78: not the server's name, so no token for it is valid\n"
     "hint: set host to the RDS name and via = tcp://127.0.0.1:3306\n"},
    {"host = " RDS_NAME "\nsign_host = fe80::1\nuser = app\nauth = iam\n",
     "78: not the server's name, so no token for it is valid\n"
     "hint: set host to the RDS name and via = tcp://127.0.0.1:3306\n"},
    {"socket = /s\nuser = app\nauth = iam\n",
     "78: auth = iam needs a host: the token is signed for its name\n"
     "hint: set host to the RDS name, or sign_host for a server on a socket\n"},
    {"host = x.dsql.us-east-1.on.aws\nuser = app\nauth = iam\n",
     "78: Aurora DSQL speaks PostgreSQL\nhint: auth = iam is for MySQL and MariaDB on RDS and Aurora\n"},
    {"host = " RDS_NAME "\nuser = app\nauth = iam\nregion = eu west\n",
     "78: region = eu west: not an AWS region\nhint: for example: region = eu-west-1\n"},
    {"host = " RDS_NAME "\nauth = iam\n", "78: auth = iam needs a user\nhint: set user in [profile p]\n"},
    {"socket = /s\nhost = db\n", "78: host and socket contradict each other\nhint: keep host for TCP, or "
                                 "socket for a server on this machine\n"},
};

static void refused_plans(void **state)
{
    static const struct facts facts = FACTS_MYSQL;
    static const enum purpose purposes[] = {FOR_CLIENT, FOR_OTHER, FOR_SECRET};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        for (size_t j = 0; j < ARRAY_LEN(purposes); j++) {
            AUTO_BUF(text, 65536);
            plan_text(refusals[i].body, "p", &facts, purposes[j], NULL, &text);
            assert_string_equal(buf_str(&text), refusals[i].text);
        }
    }
}

/* Errors about the route to the server. They do not matter if only the secret is wanted. */
#define VIA_TCP "via = tcp://127.0.0.1:1\n"
static const struct refusal route_errors[] = {
    {"user = app\n" VIA_TCP,
     "78: via = tcp://127.0.0.1:1, but no server is set behind it\n"
     "hint: set host to the server's name as seen from the bastion, or socket to a path there\n"},
    {"socket = auto\nuser = app\n" VIA_TCP,
     "78: via = tcp://127.0.0.1:1, but no server is set behind it\n"
     "hint: set host to the server's name as seen from the bastion, or socket to a path there\n"},
    {"socket = /s\nuser = app\ntls_ca = /ca.pem\n" VIA_TCP,
     "78: tls = verify-identity, but /s has no name\n"
     "hint: set host to the server's name, or tls = verify-ca\n"},
};

static void secret_without_a_route(void **state)
{
    static const struct facts facts = FACTS_MYSQL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(route_errors); i++) {
        AUTO_BUF(refused, 65536);
        AUTO_BUF(planned, 65536);
        plan_text(route_errors[i].body, "p", &facts, FOR_CLIENT, NULL, &refused);
        assert_string_equal(buf_str(&refused), route_errors[i].text);
        plan_text(route_errors[i].body, "p", &facts, FOR_SECRET, NULL, &planned);
        assert_non_null(strstr(buf_str(&planned), "\ncredential  "));
    }
}

/* No keeper is needed if sign_host is the host itself, or at a level that does not verify names. */
static void sign_host_without_a_keeper(void **state)
{
    static const char *const bodies[] = {
        "host = " RDS_NAME "\nsign_host = DB.c9akciq32.eu-west-1.rds.amazonaws.com\ntls_ca = /ca.pem\n",
        "host = 10.0.0.1\nsign_host = " RDS_NAME "\ntls = verify-ca\ntls_ca = /ca.pem\n",
        "host = 10.0.0.1\nsign_host = " RDS_NAME "\ntls = required\n",
    };
    static const struct facts facts = FACTS_MYSQL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        AUTO_FREE(char *, body);
        AUTO_BUF(text, 65536);
        body = mem_printf("%suser = app\nauth = iam\nlogin = client\n", bodies[i]);
        plan_text(body, "p", &facts, FOR_CLIENT, NULL, &text);
        assert_non_null(strstr(buf_str(&text), "\ncredential  iam token for app, region eu-west-1\n"));
    }
}

/* Another program needs no MySQL client. */
static void other_programs(void **state)
{
    static const struct facts none = {.ca_file = TEXT("/ca.pem")};
    AUTO_BUF(text, 65536);
    AUTO_BUF(below, 65536);

    (void)state;
    plan_text("host = localhost\nuser = a\nauth = none\ntls = verify-identity\n", "p", &none, FOR_OTHER, NULL,
              &text);
    assert_string_equal(buf_str(&text), "endpoint    localhost:3306\nroute       direct\n"
                                        "tls         verify-identity, by the keeper, /ca.pem\n"
                                        "credential  empty password\n"
                                        "keeper      logs in for each connection\n"
                                        "address     127.0.0.1, a free port, and a unix socket\n");
    plan_text("host = localhost\nuser = a\nauth = none\n", "p", &none, FOR_OTHER, NULL, &below);
    assert_string_equal(buf_str(&below), "endpoint    localhost:3306\nroute       direct\n"
                                         "tls         preferred, by the client\n"
                                         "credential  empty password\naddress     localhost:3306\n");
}

/* The keeper's listeners: "p" a port, "s" a unix socket. */
#define LC "login = client\n"
static const struct {
    const char *body;
    enum purpose purpose;
    const char *listeners;
} listener_cases[] = {
    {LC "host = db\ntls = preferred\n", FOR_OTHER, ""},
    {LC "host = db\ntls = required\n", FOR_OTHER, "ps"},
    {LC "host = db\ntls = preferred\nvia = ssh://b\n", FOR_OTHER, "ps"},
    {LC "host = db\ntls = preferred\nvia = ssh://b\n", FOR_TOOL, "ps"},
    {LC "host = db\ntls = preferred\nvia = ssh://b\n", FOR_CLIENT, "p"},
    {LC "host = db\ntls = required\nvia = ssh://b\n", FOR_CLIENT, "s"},
    {LC "socket = /s\nvia = ssh://b\n", FOR_CLIENT, "s"},
    {LC "socket = /s\nvia = ssh://b\n", FOR_OTHER, "ps"},
    {LC "socket = /s\n", FOR_CLIENT, ""},
    {LC "socket = /s\n", FOR_TOOL, ""},
    {"host = db\ntls = preferred\nvia = ssh://b\n", FOR_CLIENT, "s"},
    {"host = db\ntls = preferred\nvia = ssh://b\n", FOR_OTHER, "ps"},
    {"host = db\ntls = preferred\nlogin = keeper\n", FOR_TOOL, "ps"},
    {"socket = /s\nlogin = keeper\n", FOR_CLIENT, "s"},
    {"socket = /s\nlogin = keeper\n", FOR_OTHER, "ps"},
};

static void listeners_of_the_keeper(void **state)
{
    static const struct facts facts = FACTS_MYSQL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(listener_cases); i++) {
        AUTO_MADE(made);
        AUTO_FREE(char *, text);
        char listeners[3] = "";
        struct err e = ERR_INIT;
        text = mem_printf("[profile p]\nuser = app\n%s", listener_cases[i].body);
        assert_int_equal(derive_text(text, "p", NULL, 0, &made, &e), 0);
        assert_int_equal(plan_make(&made.profile, &facts, listener_cases[i].purpose, &made.plan, &e), 0);
        (void)snprintf(listeners, sizeof listeners, "%s%s", made.plan.port_listener ? "p" : "",
                       made.plan.path_listener ? "s" : "");
        assert_string_equal(listeners, listener_cases[i].listeners);
    }
}

/* The values that the plan passes to the option file. */
static void connection_values(void **state)
{
    static const struct facts facts = FACTS_MYSQL;
    AUTO_MADE(full);
    AUTO_MADE(bare);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(derive_text("[profile p]\n" REMOTE "database = shop\nauth = none\ncompress = yes\n"
                                 "local_infile = on\nserver_public_key = true\ntime_zone = UTC\n"
                                 "connect_timeout = 1500ms\ntls_cert = /c\ntls_key = /k\ntls_ciphers = X\n"
                                 "tls_version = TLSv1.3\n",
                                 "p", NULL, 0, &full, &e),
                     0);
    assert_int_equal(plan_make(&full.profile, &facts, FOR_CLIENT, &full.plan, &e), 0);
    const struct connection *c = &full.plan.conn;
    assert_string_equal(c->user, "app");
    assert_string_equal(c->database, "shop");
    assert_string_equal(c->time_zone, "UTC");
    assert_int_equal(c->connect_timeout, 2); /* rounded up to whole seconds */
    assert_true(c->compress && c->local_infile && c->server_public_key && !c->cleartext && !c->fixed);
    assert_string_equal(c->tls_cert, "/c");
    assert_string_equal(c->tls_key, "/k");
    assert_string_equal(c->tls_ciphers, "X");
    assert_string_equal(c->tls_version, "TLSv1.3");
    assert_string_equal(full.plan.label, "p");
    assert_int_equal(
        derive_text("[profile p]\nhost = db\nuser = me\nauth = client\n", "p", NULL, 0, &bare, &e), 0);
    assert_int_equal(plan_make(&bare.profile, &facts, FOR_CLIENT, &bare.plan, &e), 0);
    c = &bare.plan.conn;
    assert_string_equal(c->user, "me"); /* set in the profile; the client has its own password */
    assert_null(c->time_zone);
    assert_false(c->compress || c->local_infile || c->server_public_key);
    assert_string_equal(c->tls_version, "TLSv1.2,TLSv1.3");
    assert_int_equal(c->connect_timeout, 10);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_plans),
        cmocka_unit_test(plans_are_pure),
        cmocka_unit_test(derived_keys),
        cmocka_unit_test(levels_by_client),
        cmocka_unit_test(tls_by_client_or_keeper),
        cmocka_unit_test(tls_in_special_cases),
        cmocka_unit_test(login_by_client_or_keeper),
        cmocka_unit_test(login_at_a_forward),
        cmocka_unit_test(revoking),
        cmocka_unit_test(no_ca_certificates),
        cmocka_unit_test(flags_do_not_lower_protection),
        cmocka_unit_test(refused_plans),
        cmocka_unit_test(secret_without_a_route),
        cmocka_unit_test(sign_host_without_a_keeper),
        cmocka_unit_test(other_programs),
        cmocka_unit_test(listeners_of_the_keeper),
        cmocka_unit_test(connection_values),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
