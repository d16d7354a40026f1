/* SPDX-License-Identifier: MIT */
/*
 * Our own message for the client's error line: for every row of the table and for the texts of both client
 * families, with exit code, number and hint. tests/cli checks that real servers and clients print these
 * lines.
 */
#include <base/log.h>
#include <ipc/keeper.h>
#include <session/server_error.h>

#include "plan_fixture.h"

#define APP "[profile p]\nhost = db.example.com\nuser = app\ndatabase = shop\nauth = none\n"
#define LOCAL "[profile p]\nsocket = /run/s.sock\nuser = app\nauth = none\n"

static const struct row {
    const char *line, *reason, *text;
} rows[] = {
    {"ERROR 1045 (28000): Access denied for user 'app'@'10.0.1.9' (using password: YES)", NULL,
     "77: 1045 access denied for app@10.0.1.9\nhint: check user and password"
     "; REQUIRE X509 needs tls_cert\n"},
    /* sent before TLS, and passed on by the keeper */
    {"ERROR 1040 (08S01): " KEEPER_UNVERIFIED "hint: curl x | sh", NULL,
     "75: 1040 the server has too many connections\nhint: try again later; max_connections sets the limit\n"
     "received before TLS: from the server, or from an attacker on the network\n"},
    {"ERROR 1130 (HY000): " KEEPER_UNVERIFIED "Host '10.0.1.9' is not allowed", NULL,
     "77: 1130 Host '10.0.1.9' is not allowed\nhint: the account is for other hosts: create it for this one\n"
     "received before TLS: from the server, or from an attacker on the network\n"},
    {"ERROR 1105 (08S01): " KEEPER_UNVERIFIED "2003 Can't connect to remote MySQL server", NULL,
     "77: 1105 2003 Can't connect to remote MySQL server\nhint: look up error 1105 in the server's manual\n"
     "received before TLS: from the server, or from an attacker on the network\n"},
    /* if the server does not name the account, the user of the login is shown */
    {"ERROR 1045 (28000): Access denied", NULL,
     "77: 1045 access denied for app\nhint: check user and password"
     "; REQUIRE X509 needs tls_cert\n"},
    {"ERROR 1045 (28000): Access denied for user ''@'localhost' (using password: NO)", NULL,
     "77: 1045 access denied for @localhost\nhint: check user and password"
     "; REQUIRE X509 needs tls_cert\n"},
    {"ERROR 1044 (42000): Access denied for user 'app'@'%' to database 'shop'", NULL,
     "77: 1044 access denied for app@% to database shop\n"
     "hint: set another database, or grant it to the user\n"},
    {"ERROR 1040 (08004): Too many connections", NULL,
     "75: 1040 the server has too many connections\nhint: try again later; max_connections sets the limit\n"},
    {"ERROR 1698 (28000): Access denied for user 'root'@'localhost'", NULL,
     "77: 1698 access denied for root@localhost\nhint: the account belongs to a user of the server's "
     "operating system: log in as that user, or set a password for the account\n"},
    {"ERROR 1129 (HY000): Host '10.0.1.9' is blocked because of many connection errors", NULL,
     "77: 1129 Host '10.0.1.9' is blocked because of many connection errors\n"
     "hint: on the server: mysqladmin flush-hosts\n"},
    {"ERROR 1130 (HY000): Host '10.0.1.9' is not allowed to connect to this MariaDB server", NULL,
     "77: 1130 Host '10.0.1.9' is not allowed to connect to this MariaDB server\n"
     "hint: the account is for other hosts: create it for this one\n"},
    {"ERROR 1820 (HY000) at line 1: You must reset your password using ALTER USER statement before executing "
     "this.",
     NULL,
     "77: 1820 the password has expired\n"
     "hint: broker connect p, then: alter user user() identified by '...'\n"},
    {"mysql: [Warning] x\nPlease use --connect-expired-password option or invoke mysql in interactive mode.",
     NULL,
     "77: 1862 the password has expired\n"
     "hint: broker connect p, then: alter user user() identified by '...'\n"},
    {"ERROR 1226 (42000): User 'app' has exceeded the 'max_user_connections' resource (current value: 1)",
     NULL,
     "75: 1226 User 'app' has exceeded the 'max_user_connections' resource (current value: 1)\n"
     "hint: try again later, or raise the limit of the account\n"},
    {"ERROR 1184 (08S01): Aborted connection 9 to db: 'x' user: 'app' host: 'h' (init_connect command "
     "failed)",
     NULL,
     "77: 1184 Aborted connection 9 to db: 'x' user: 'app' host: 'h' (init_connect command failed)\n"
     "hint: the server's init_connect fails for this account: fix it on the server\n"},
    {"ERROR 1130 (HY000): Proxy header is not accepted from 10.0.0.1", NULL,
     "77: 1130 the server accepts no PROXY header from this proxy\n"
     "hint: on the server, add the proxy's address to proxy_protocol_networks; or bypass the proxy\n"},
    {"ERROR 2007 (HY000): Protocol mismatch; server version = 11, client version = 10", NULL,
     "69: 2007 db.example.com:3306: it does not speak the MySQL protocol\n"
     "hint: check host and port; 33060 is for another protocol, 3306 is the usual one\n"},
    /* MariaDB's clients put an error that came before TLS into an error of their own */
    {"ERROR 2026 (HY000): TLS/SSL error: Received error packet before completion of TLS handshake. The "
     "authenticity "
     "of the following error cannot be verified: 1040 - Too many connections",
     NULL,
     "75: 1040 the server has too many connections\n"
     "hint: try again later; max_connections sets the limit\n"
     "received before TLS: from the server, or from an attacker on the network\n"},
    {"ERROR 2026 (HY000): TLS/SSL error: certificate has expired", NULL,
     "69: 2026 the server's certificate has expired\n"
     "hint: renew it on the server; or correct this machine's clock\n"},
    {"ERROR 1862 (HY000): Your password has expired. To log in you must change it.", NULL,
     "77: 1862 the password has expired\n"
     "hint: broker connect p, then: alter user user() identified by '...'\n"},
    {"ERROR 3118 (HY000): Access denied for user 'app'@'h'. Account is locked.", NULL,
     "77: 3118 the account is locked\nhint: unlock it on the server: alter user ... account unlock\n"},
    {"ERROR 4151 (HY000): Access denied, this account is locked", NULL,
     "77: 4151 the account is locked\nhint: unlock it on the server: alter user ... account unlock\n"},
    {"ERROR 1049 (42000): Unknown database 'shop'", NULL,
     "77: 1049 no database shop\nhint: set database to one that exists\n"},
    {"ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet', system "
     "error: 0",
     NULL,
     "69: 2013 db.example.com:3306: the server closed the connection before the login\n"
     "hint: check that it is a MySQL server that accepts connections from this machine\n"},
    /* a failure of TCP has the same number with both families */
    {"ERROR 2003 (HY000): Can't connect to MySQL server on 'db.example.com:3306' (111)", "connection refused",
     "69: 2003 db.example.com:3306: connection refused\n"
     "hint: check port and firewall; a server behind a bastion needs via\n"},
    {"ERROR 2002 (HY000): Can't connect to server on 'db.example.com' (115)", "connection refused",
     "69: 2003 db.example.com:3306: connection refused\n"
     "hint: check port and firewall; a server behind a bastion needs via\n"},
    {"ERROR 2003 (HY000): Can't connect to MySQL server on 'db.example.com:3306' (111)", NULL,
     "69: 2003 db.example.com:3306: Can't connect to MySQL server on 'db.example.com:3306' (111)\n"
     "hint: check port and firewall; a server behind a bastion needs via\n"},
    {"ERROR 2005 (HY000): Unknown MySQL server host 'db.example.com' (-2)", "no such host",
     "69: 2005 db.example.com:3306: no such host\n"
     "hint: check host; a name that only a bastion can resolve needs via\n"},
    {"ERROR 2026 (HY000): SSL connection error: SSL is required but the server doesn't support it", NULL,
     "69: 2026 db.example.com:3306: the server has no TLS\n"
     "hint: tls = preferred connects without TLS, and an attacker on the network can read and change "
     "everything\n"},
    {"ERROR 2026 (HY000): TLS/SSL error: SSL is required, but the server does not support it", NULL,
     "69: 2026 db.example.com:3306: the server has no TLS\n"
     "hint: tls = preferred connects without TLS, and an attacker on the network can read and change "
     "everything\n"},
    {"ERROR 2026 (HY000): SSL connection error: certificate verify failed", NULL,
     "69: 2026 SSL connection error: certificate verify failed\n"
     "hint: set tls_ca to the server's CA; if an option file sets ssl-..., set my_cnf = no\n"},
    {"ERROR 2059 (HY000): Authentication plugin 'client_ed25519' cannot be loaded: /x/client_ed25519.so: y",
     NULL,
     "77: 2059 the client does not have the plug-in client_ed25519, which the account needs\n"
     "hint: set client to one that has it\n"},
    {"ERROR 2059 (HY000): Authentication plugin 'mysql_clear_password' cannot be loaded: plugin not enabled",
     NULL,
     "77: 2059 the server wants the password in cleartext\n"
     "hint: set cleartext = yes if you trust this server; broker then verifies its certificate\n"},
    /* MariaDB's clients report it with 1045, the number of a refused login */
    {"ERROR 1045 (28000): Plugin dialog could not be loaded: /x/dialog.so: cannot open", NULL,
     "77: 2059 the server wants the password in cleartext\n"
     "hint: set cleartext = yes if you trust this server; broker then verifies its certificate\n"},
    /* our own check could connect, so the server had closed the connection */
    {"ERROR 2002 (HY000): Can't connect to server on 'db.example.com' (115)", "",
     "69: 2013 db.example.com:3306: the server closed the connection before the login\n"
     "hint: check that it is a MySQL server that accepts connections from this machine\n"},
    {"ERROR 2013 (HY000): Lost connection to MySQL server at 'waiting for initial communication packet', "
     "system "
     "error: 110",
     NULL,
     "69: 2013 db.example.com:3306: no answer in time\n"
     "hint: check that it is a MySQL server and does not wait for a PROXY header; if it is slow, raise "
     "connect_timeout\n"},
    {"ERROR 2061 (HY000): Authentication plugin 'caching_sha2_password' reported error: Authentication "
     "requires "
     "secure connection.",
     NULL,
     "77: 2061 the account needs TLS, or the server's public key\n"
     "hint: tls = required, or server_public_key = yes\n"},
    {"ERROR 3159 (HY000): Connections using insecure transport are prohibited while "
     "--require_secure_transport=ON.",
     NULL, "77: 3159 the server requires TLS\nhint: tls = required\n"},
};

static void explain(const char *config, const char *text, int status, const char *reason, unsigned number,
                    struct buf *out)
{
    static const struct facts facts = FACTS_MYSQL;
    AUTO_MADE(made);
    struct err e = ERR_INIT;

    assert_int_equal(derive_text(config, "p", NULL, 0, &made, &e), 0);
    assert_int_equal(plan_make(&made.profile, &facts, FOR_OTHER, &made.plan, &e), 0);
    unsigned got = server_error_explain(&made.plan, text, status, reason, &e);
    if (number)
        assert_int_equal(got, number);
    error_text(&e, out);
    if (e.detail[0])
        buf_puts(out, e.detail);
}

/* Everything else that clients print is ignored: warnings before the line, and later lines. */
static void known_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF(alone, 8192);
        AUTO_BUF(among, 8192);
        AUTO_FREE(char *, text);
        text = mem_printf("WARNING: no entropy\n%s\nERROR 1 (x): later\n", rows[i].line);
        explain(APP, rows[i].line, 256, rows[i].reason, 0, &alone);
        explain(APP, text, 256, rows[i].reason, 0, &among);
        assert_string_equal(buf_str(&alone), rows[i].text);
        assert_string_equal(buf_str(&among), rows[i].text);
    }
}

/* With a socket, 2002 keeps its number. */
static void over_a_socket(void **state)
{
    AUTO_BUF(text, 8192);

    (void)state;
    explain(LOCAL, "ERROR 2002 (HY000): Can't connect to local server through socket '/run/s.sock' (2)", 256,
            "no such file", 2002, &text);
    assert_string_equal(
        buf_str(&text),
        "69: 2002 /run/s.sock: no such file\nhint: start the server, or set host or socket\n");
}

/* An unknown error keeps its text. Its number decides whether it means "refused" or "unreachable". */
static void unknown_errors(void **state)
{
    AUTO_BUF(server, 8192);
    AUTO_BUF(client, 8192);

    (void)state;
    explain(APP, "ERROR 1227 (42000): User 'app' has exceeded the 'x' resource", 256, NULL, 1227, &server);
    assert_string_equal(buf_str(&server), "77: 1227 User 'app' has exceeded the 'x' resource\n"
                                          "hint: look up error 1227 in the server's manual\n");
    explain(APP, "ERROR 2055 (HY000): Lost connection at 'x', system error: 104", 256, NULL, 2055, &client);
    assert_string_equal(buf_str(&client), "69: 2055 Lost connection at 'x', system error: 104\n"
                                          "hint: look up error 2055 in the server's manual\n");
}

/* No error line: the client failed before it could connect. */
static void no_error_line(void **state)
{
    AUTO_BUF(status, 8192);
    AUTO_BUF(killed, 8192);

    (void)state;
    explain(APP, "mysql: [ERROR] unknown variable 'ssl-mode=REQUIRED'.\nsecond\n", 7 << 8, NULL, 0, &status);
    assert_string_equal(buf_str(&status),
                        "78: the client ended with exit status 7\n"
                        "hint: my_cnf = no leaves out your option files, if it does not understand one\n"
                        "mysql: [ERROR] unknown variable 'ssl-mode=REQUIRED'.\nsecond\n");
    explain(APP, "", 11, NULL, 0, &killed);
    assert_string_equal(buf_str(&killed), "78: the client was killed by SIGSEGV\n"
                                          "hint: run it again, or set client to another one\n");
}

/* The provider says what to check when its credential is refused. */
static void providers_hint(void **state)
{
    AUTO_BUF(text, 8192);

    (void)state;
    explain("[profile p]\nhost = db.example.com\nuser = app\n",
            "ERROR 1045 (28000): Access denied for user 'app'@'h' (using password: YES)", 256, NULL, 1045,
            &text);
    assert_string_equal(buf_str(&text), "77: 1045 access denied for app@h\n"
                                        "hint: check user; a changed password: broker password set p"
                                        "; REQUIRE X509 needs tls_cert\n");
}

/* A server may send any text of any length: it is truncated, and nothing in it is used as a format or a
 * placeholder. */
static void hostile_messages(void **state)
{
    AUTO_BUF(line, 8192);
    AUTO_BUF(text, 8192);
    AUTO_BUF(holes, 8192);

    (void)state;
    buf_puts(&line, "ERROR 1999 (HY000): ");
    for (int i = 0; i < 3000; i++)
        buf_puts(&line, "%n");
    explain(APP, buf_str(&line), 256, NULL, 1999, &text);
    assert_true(text_starts(buf_str(&text), "77: 1999 %n%n%n"));
    assert_true(text.len < 4096);
    explain(APP, "ERROR 2026 (HY000): {who} {refused} {text}", 256, NULL, 2026, &holes);
    assert_true(text_starts(buf_str(&holes), "69: 2026 {who} {refused} {text}\n"));
}

static char stepped[256];

static void keep_step(enum log_level level, const char *label, const char *text)
{
    (void)snprintf(stepped, sizeof stepped, "%d %s %s", (int)level, label, text);
}

/* --verbose shows the client's own message. */
static void original_message(void **state)
{
    AUTO_BUF(text, 8192);

    (void)state;
    log_set_sink(keep_step, LOG_STEP);
    explain(APP, "noise\nERROR 1049 (42000): Unknown database 'shop'\nmore\n", 256, NULL, 1049, &text);
    log_set_sink(NULL, LOG_WARNING);
    assert_int_equal(stepped[0], '0' + LOG_STEP);
    assert_string_equal(stepped + 1, " server ERROR 1049 (42000): Unknown database 'shop'");
}

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(server_error_number("ERROR 1045 (28000): x"), 1045);
    assert_int_equal(server_error_number("noise\nERROR 2003 (HY000): x\n"), 2003);
    assert_int_equal(server_error_number("ERRORS 12"), 0);
    assert_int_equal(server_error_number("an ERROR 12 inside"), 0);
    assert_int_equal(server_error_number("ERROR at line 1"), 0);
    assert_int_equal(server_error_number(""), 0);
    assert_true(server_error_is_route(2002) && server_error_is_route(2003) && server_error_is_route(2005));
    assert_false(server_error_is_route(1045) || server_error_is_route(2013) || server_error_is_route(0));
}

/* A prefix goes between MySQL's number and the text. */
static void prefixes(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(err_set_numbered(&e, ERR_LOGIN, 1045, "access denied"), -1);
    assert_int_equal(err_prefix(&e, "db:%d", 3306), -1);
    assert_string_equal(e.msg, "1045 db:3306: access denied");
    assert_int_equal(e.number, 1045);
    (void)err_set(&e, ERR_LOGIN, "no such user");
    (void)err_prefix(&e, "db");
    assert_string_equal(e.msg, "db: no such user");
    assert_int_equal(e.number, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_errors),     cmocka_unit_test(over_a_socket),
        cmocka_unit_test(unknown_errors),   cmocka_unit_test(no_error_line),
        cmocka_unit_test(providers_hint),   cmocka_unit_test(hostile_messages),
        cmocka_unit_test(original_message), cmocka_unit_test(numbers),
        cmocka_unit_test(prefixes),
    };

    return cmocka_run_group_tests_name("server error", tests, NULL, NULL);
}
