/* SPDX-License-Identifier: MIT */
/* Keys and their values, durations, names, settings, identities. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/identity.h>
#include <model/profile.h>

struct value_case {
    enum key key;
    const char *value, *normal; /* normal NULL: refused, with the message and the hint */
    const char *msg, *hint;
};

static const struct value_case value_cases[] = {
    {KEY_title, "", "", NULL, NULL},
    {KEY_port, "", "", NULL, NULL},
    {KEY_title, "any text, \xc3\xa9", "any text, \xc3\xa9", NULL, NULL},
    {KEY_title, "a\nb", NULL, "title: contains a control character",
     "a value is one line of UTF-8, at most 8000 bytes"},
    {KEY_user, "a\x7f", NULL, "user: contains a control character",
     "a value is one line of UTF-8, at most 8000 bytes"},
    {KEY_user, "a\xff", NULL, "user: not UTF-8", "a value is one line of UTF-8, at most 8000 bytes"},
    {KEY_port, "3306", "3306", NULL, NULL},
    {KEY_port, "03306", "3306", NULL, NULL},
    {KEY_port, "65535", "65535", NULL, NULL},
    {KEY_port, "0", NULL, "port: '0' is not a number from 1 to 65535", "for example: port = 3306"},
    {KEY_port, "65536", NULL, "port: '65536' is not a number from 1 to 65535", "for example: port = 3306"},
    {KEY_port, "99999999999999999999", NULL, "port: '99999999999999999999' is not a number from 1 to 65535",
     "for example: port = 3306"},
    {KEY_port, "-1", NULL, "port: '-1' is not a number from 1 to 65535", "for example: port = 3306"},
    {KEY_port, " 1", NULL, "port: ' 1' is not a number from 1 to 65535", "for example: port = 3306"},
    {KEY_my_cnf, "yes", "yes", NULL, NULL},
    {KEY_my_cnf, "TRUE", "yes", NULL, NULL},
    {KEY_my_cnf, "1", "yes", NULL, NULL},
    {KEY_my_cnf, "on", "yes", NULL, NULL},
    {KEY_my_cnf, "Off", "no", NULL, NULL},
    {KEY_my_cnf, "false", "no", NULL, NULL},
    {KEY_my_cnf, "0", "no", NULL, NULL},
    {KEY_my_cnf, "maybe", NULL, "my_cnf: 'maybe' is not yes or no", "my_cnf = yes, or my_cnf = no"},
    {KEY_connect_timeout, "10s", "10s", NULL, NULL},
    {KEY_connect_timeout, "0", NULL, "connect_timeout: '0' is not a duration",
     "for example: connect_timeout = 500ms, 10s, 5m or 1h"},
    {KEY_connect_timeout, "10 s", NULL, "connect_timeout: '10 s' is not a duration",
     "for example: connect_timeout = 500ms, 10s, 5m or 1h"},
    {KEY_time_zone, "America/Port-au-Prince", "America/Port-au-Prince", NULL, NULL},
    {KEY_time_zone, "Etc/GMT+1", "Etc/GMT+1", NULL, NULL},
    {KEY_time_zone, "-03:30", "-03:30", NULL, NULL},
    {KEY_time_zone, "SYSTEM", "SYSTEM", NULL, NULL},
    {KEY_time_zone, "UTC' = sleep(9) -- ", NULL, "time_zone: not the name of a time zone",
     "for example: time_zone = Europe/Berlin, +02:00 or server"},
    {KEY_time_zone, "UTC\\", NULL, "time_zone: not the name of a time zone",
     "for example: time_zone = Europe/Berlin, +02:00 or server"},
    {KEY_tls, "verify-ca", "verify-ca", NULL, NULL},
    {KEY_tls, "requird", NULL, "tls: unknown value 'requird'", "did you mean 'required'?"},
    {KEY_tls, "Required", NULL, "tls: unknown value 'Required'", "did you mean 'required'?"},
    {KEY_tls, "xyzzyxyzzy", NULL, "tls: unknown value 'xyzzyxyzzy'",
     "tls is one of: disabled preferred required verify-ca verify-identity"},
    {KEY_auth, "keychain", "keychain", NULL, NULL},
    {KEY_auth, "iam", "iam", NULL, NULL},
    {KEY_auth, "vault", "vault", NULL, NULL},
    {KEY_auth, "keychian", NULL, "auth: unknown value 'keychian'", "did you mean 'keychain'?"},
    {KEY_auth, "helpr", NULL, "auth: unknown value 'helpr'", "did you mean 'helper'?"},
    {KEY_auth_command, "pass show 'my db'", "pass show 'my db'", NULL, NULL},
    {KEY_auth_command, "pass 'open", NULL, "auth_command: open quote or backslash at the end of a command",
     "quote as for sh: '...', \"...\", or a backslash before the character"},
    {KEY_auth_command, "  ", NULL, "auth_command: empty command",
     "quote as for sh: '...', \"...\", or a backslash before the character"},
    {KEY_host, "db.example.com", "db.example.com", NULL, NULL},
    {KEY_host, "my_db-1", "my_db-1", NULL, NULL},
    {KEY_host, "::1", "::1", NULL, NULL},
    {KEY_host, "[fe80::1%eth0]", "fe80::1%eth0", NULL, NULL},
    {KEY_host, "db:3307", NULL, "host: 'db:3307' is not a host name", "set the port with port = 3307"},
    {KEY_host, "[::1]:3307", NULL, "host: '[::1]:3307' is not a host name", "set the port with port = 3307"},
    {KEY_host, "-oProxyCommand=x", NULL, "host: '-oProxyCommand=x' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "db.example.com.", "db.example.com.", NULL, NULL},
    {KEY_host, ".example.com", NULL, "host: '.example.com' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "db..example.com", NULL, "host: 'db..example.com' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "*.example.com", NULL, "host: '*.example.com' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, ".", NULL, "host: '.' is not a host name", "a name such as db.example.com, or an IP address"},
    {KEY_sign_host, ".eu-west-1.rds.amazonaws.com", NULL,
     "sign_host: '.eu-west-1.rds.amazonaws.com' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "a b", NULL, "host: 'a b' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "a/b", NULL, "host: 'a/b' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "fe80::1%", NULL, "host: 'fe80::1%' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "[::1", NULL, "host: '[::1' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_host, "[::1]x", NULL, "host: '[::1]x' is not a host name",
     "a name such as db.example.com, or an IP address"},
    {KEY_inherits, "base", "base", NULL, NULL},
    {KEY_inherits, "a/b", NULL, "inherits: 'a/b' is not a name",
     "use up to 64 letters, digits and . _ @ + -, the first a letter or digit"},
    {KEY_listen, "13306", "127.0.0.1:13306", NULL, NULL},
    {KEY_listen, "0", "127.0.0.1:0", NULL, NULL},
    {KEY_listen, "0.0.0.0:1", "0.0.0.0:1", NULL, NULL},
    {KEY_listen, "[::1]:1", "[::1]:1", NULL, NULL},
    {KEY_listen, "localhost:1", "localhost:1", NULL, NULL},
    {KEY_listen, "/run/x.sock", "/run/x.sock", NULL, NULL},
    {KEY_listen, "~/x.sock", "/home/dev/x.sock", NULL, NULL},
    {KEY_listen, "x.sock", NULL, "listen: 'x.sock' is not PORT, ADDRESS:PORT or /PATH",
     "for example: listen = 127.0.0.1:13306"},
    {KEY_listen, "::1:3306", NULL, "listen: '::1:3306' is not PORT, ADDRESS:PORT or /PATH",
     "for example: listen = 127.0.0.1:13306"},
    {KEY_listen, "127.0.0.1:65536", NULL, "listen: '127.0.0.1:65536' is not PORT, ADDRESS:PORT or /PATH",
     "for example: listen = 127.0.0.1:13306"},
    {KEY_tls_ca, "~/ca.pem", "/home/dev/ca.pem", NULL, NULL},
    {KEY_tls_ca, "/a/~/b", "/a/~/b", NULL, NULL},
    {KEY_socket, "auto", "auto", NULL, NULL},
    {KEY_vault_addr, "vault.example.com", "https://vault.example.com", NULL, NULL},
    {KEY_vault_addr, "vault:8200/", "https://vault:8200", NULL, NULL},
    {KEY_vault_addr, "HTTPS://vault/sub//", "https://vault/sub", NULL, NULL},
    {KEY_vault_addr, "http://127.0.0.1:8200", "http://127.0.0.1:8200", NULL, NULL},
    {KEY_vault_addr, "http://127.9.9.9", "http://127.9.9.9", NULL, NULL},
    {KEY_vault_addr, "http://[::1]:8200", "http://[::1]:8200", NULL, NULL},
    {KEY_vault_addr, "http://localhost", "http://localhost", NULL, NULL},
    {KEY_vault_addr, "http://vault", NULL, "vault_addr: http is only allowed to this machine",
     "for example: vault_addr = https://vault.example.com"},
    {KEY_vault_addr, "http://127.0.0.1.example.com", NULL, "vault_addr: http is only allowed to this machine",
     "for example: vault_addr = https://vault.example.com"},
    {KEY_vault_addr, "ftp://vault", NULL, "vault_addr: not https or http",
     "for example: vault_addr = https://vault.example.com"},
    {KEY_vault_addr, "https://u:s3cret@vault", NULL,
     "vault_addr: no user, password, query or fragment allowed",
     "for example: vault_addr = https://vault.example.com"},
    {KEY_vault_addr, "https://", NULL, "vault_addr: it has no valid host",
     "for example: vault_addr = https://vault.example.com"},
    {KEY_via, "bastion", "bastion", NULL, NULL},
    {KEY_via, "direct", "direct", NULL, NULL},
    {KEY_via, "ssh://acme@acme.example:2222", "ssh://acme@acme.example:2222", NULL, NULL},
    {KEY_via, "ssh://[::1]:22", "ssh://[::1]:22", NULL, NULL},
    {KEY_via, "ssh://user@domain@host", "ssh://user@domain@host", NULL, NULL},
    {KEY_via, "tcp://127.0.0.1:13306", "tcp://127.0.0.1:13306", NULL, NULL},
    {KEY_via, "tcp://127.0.0.1", NULL, "via: not HOST:PORT",
     "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct"},
    {KEY_via, "ssh://-oProxyCommand=x", NULL, "via: not HOST or HOST:PORT",
     "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct"},
    {KEY_via, "ssh://-l@host", NULL, "via: not a user name",
     "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct"},
    {KEY_via, "ssh://host:0", NULL, "via: not HOST or HOST:PORT",
     "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct"},
    {KEY_via, "ssh://u:s3cret@host", NULL, "via: a tunnel's address cannot have a password",
     "ssh://USER@HOST, then: broker password set --tunnel NAME"},
    {KEY_via, "http://host", NULL, "via: not a tunnel",
     "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct"},
};

static void values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(value_cases); i++) {
        const struct value_case *c = &value_cases[i];
        struct err e = ERR_INIT;
        AUTO_FREE(char *, out);
        int got = key_check(&key_infos[c->key], c->value, &out, &e);
        if (got != (c->normal ? 0 : -1))
            fail_msg("%s = %s: got %d, %s", key_infos[c->key].name, c->value, got, e.msg);
        if (c->normal) {
            assert_string_equal(out, c->normal);
            continue;
        }
        assert_null(out);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_string_equal(e.what, "");
        assert_string_equal(e.msg, c->msg);
        assert_string_equal(e.hint, c->hint);
    }
}

static void long_value(void **state)
{
    char text[8003];
    struct err e = ERR_INIT;
    AUTO_FREE(char *, out);

    (void)state;
    memset(text, 'x', sizeof text);
    text[8001] = '\0';
    assert_int_equal(key_check(&key_infos[KEY_user], text, &out, &e), -1);
    assert_string_equal(e.msg, "user: too long");
    text[8000] = '\0';
    assert_int_equal(key_check(&key_infos[KEY_user], text, &out, &e), 0);
}

static void tunnel_values(void **state)
{
    AUTO_FREE(char *, off);
    AUTO_FREE(char *, address);
    AUTO_FREE(char *, none);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(key_check(&tunnel_key_infos[TUNNEL_keepalive], "0", &off, &e), 0);
    assert_int_equal(key_check(&tunnel_key_infos[TUNNEL_address], "13306", &address, &e), 0);
    assert_string_equal(address, "127.0.0.1:13306");
    assert_int_equal(key_check(&tunnel_key_infos[TUNNEL_address], "127.0.0.1:0", &none, &e), -1);
    assert_int_equal(key_check(&tunnel_key_infos[TUNNEL_type], "shs", &none, &e), -1);
    assert_string_equal(e.hint, "did you mean 'ssh'?");
}

/* A host may be whatever ssh accepts as one, but not what ssh or a shell could take for something else. */
static void ssh_hosts(void **state)
{
    static const char *const hosts[][2] = {
        {"prod/bastion", "prod/bastion"},
        {"prod:eu", "prod:eu"},
        {"b\303\274ro", "b\303\274ro"},
        {"a+b,c=d#1", "a+b,c=d#1"},
        {"::1", "::1"},
        {"[::1]", "::1"},
        {"bastion:22", NULL},
        {"[::1]:22", NULL},
        {"-oProxyCommand=x", NULL},
        {"ssh://bastion", NULL},
        {"a b", NULL},
        {"$(x)", NULL},
        {"a;b", NULL},
        {"a'b", NULL},
        {"u:s3cret@bastion", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        AUTO_FREE(char *, out);
        struct err e = ERR_INIT;
        int got = key_check(&tunnel_key_infos[TUNNEL_host], hosts[i][0], &out, &e);
        assert_int_equal(got, hosts[i][1] ? 0 : -1);
        if (hosts[i][1])
            assert_string_equal(out, hosts[i][1]);
        assert_null(strstr(e.msg, "s3cret"));
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        long ms; /* -1: malformed */
    } cases[] = {
        {"10s", 10000},
        {"5m", 300000},
        {"1h", 3600000},
        {"250ms", 250},
        {"7", 7000},
        {"0", 0},
        {"0ms", 0},
        {"", -1},
        {"s", -1},
        {"1d", -1},
        {"1 s", -1},
        {"-1s", -1},
        {"1.5s", -1},
        {"10S", -1},
        {"8784h", 31622400000},
        {"8785h", -1},
        {"31622401", -1},
        {"10ss", -1},
        {"99999999999999999999s", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        long ms = -7;
        if (duration_parse(cases[i].text, &ms) != (cases[i].ms >= 0))
            fail_msg("%s", cases[i].text);
        assert_int_equal(ms, cases[i].ms >= 0 ? cases[i].ms : -7);
    }
}

static void names(void **state)
{
    char longest[66];

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[65] = '\0';
    assert_false(profile_name_valid(longest));
    longest[64] = '\0';
    assert_true(profile_name_valid(longest));
    assert_true(profile_name_valid("a"));
    assert_true(profile_name_valid("0.a_b@c+d-e"));
    assert_false(profile_name_valid(""));
    assert_false(profile_name_valid("-a"));
    assert_false(profile_name_valid(".a"));
    assert_false(profile_name_valid("a/b"));
    assert_false(profile_name_valid("a b"));
    assert_false(profile_name_valid("\xc3\xa9"));
}

static void finding(void **state)
{
    (void)state;
    assert_int_equal(key_find(key_infos, KEY_COUNT, "tls_ca"), KEY_tls_ca);
    assert_int_equal(key_find(key_infos, KEY_COUNT, "tls-ca"), KEY_tls_ca);
    assert_int_equal(key_find(key_infos, KEY_COUNT, "tls"), KEY_tls);
    assert_int_equal(key_find(key_infos, KEY_COUNT, "tls_"), -1);
    assert_int_equal(key_find(key_infos, KEY_COUNT, "tl"), -1);
    assert_int_equal(key_find(key_infos, KEY_COUNT, ""), -1);
    assert_int_equal(key_find(tunnel_key_infos, TUNNEL_COUNT, "ssh-engine"), TUNNEL_ssh_engine);
    assert_string_equal(key_closest(key_infos, KEY_COUNT, "databse"), "database");
    assert_null(key_closest(key_infos, KEY_COUNT, "xyzzyxyzzy"));
}

/* No key may have a name that looks like a secret's. Every built-in value must pass its own check. */
static void tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        struct err e = ERR_INIT;
        AUTO_FREE(char *, out);
        assert_false(key_is_secret(key_infos[i].name));
        if (key_infos[i].built_in && key_check(&key_infos[i], key_infos[i].built_in, &out, &e) < 0)
            fail_msg("%s", e.msg);
        assert_int_equal(key_find(key_infos, KEY_COUNT, key_infos[i].name), i);
    }
    for (size_t i = 0; i < TUNNEL_COUNT; i++)
        assert_false(key_is_secret(tunnel_key_infos[i].name));
}

static void secrets(void **state)
{
    static const char *const yes[] = {"password",     "passwd",
                                      "pwd",          "pass",
                                      "secret",       "token",
                                      "ssh_password", "ssh-password",
                                      "Password",     "vault_token",
                                      "passphrase",   "db_pass",
                                      "secret_key",   "aws_secret_access_key"};
    static const char *const no[] = {"",          "user",         "compass",   "tokens",
                                     "tokenizer", "auth_command", "auth_file", "passt"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        if (!key_is_secret(yes[i]))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        if (key_is_secret(no[i]))
            fail_msg("%s", no[i]);
}

static void settings(void **state)
{
    AUTO_PROFILE(p);

    (void)state;
    assert_true(setting_put(&p.set[KEY_user], "a", ORIGIN_ENV, "BROKER_USER", 0));
    assert_false(setting_put(&p.set[KEY_user], "b", ORIGIN_ENV, "x", 0));
    assert_false(setting_put(&p.set[KEY_user], "b", ORIGIN_DEFAULTS, "x", 0));
    assert_string_equal(profile_str(&p, KEY_user), "a");
    assert_true(setting_put(&p.set[KEY_user], "", ORIGIN_FILE, "/f", 3));
    assert_null(profile_str(&p, KEY_user));
    assert_int_equal(p.set[KEY_user].origin, ORIGIN_FILE);
    assert_int_equal(p.set[KEY_user].line, 3);
    assert_false(setting_put(&p.set[KEY_user], "b", ORIGIN_FILE, "/f", 4));
    assert_true(setting_put(&p.set[KEY_port], "3307", ORIGIN_FLAG, "--port", 0));
    assert_int_equal(profile_number(&p, KEY_port), 3307);
    assert_int_equal(profile_number(&p, KEY_sign_port), 0);
    assert_true(setting_put(&p.set[KEY_connect_timeout], "5m", ORIGIN_FLAG, "-o", 0));
    assert_int_equal(profile_ms(&p, KEY_connect_timeout), 300000);
    assert_int_equal(profile_ms(&p, KEY_login_timeout), 0);
    assert_true(setting_put(&p.set[KEY_compress], "yes", ORIGIN_FLAG, "-o", 0));
    assert_true(profile_bool(&p, KEY_compress));
    assert_false(profile_bool(&p, KEY_my_cnf));
}

static void put(struct profile *p, enum key k, const char *value)
{
    setting_clear(&p->set[k]);
    (void)setting_put(&p->set[k], value, ORIGIN_FLAG, "test", 0);
}

static void put_tunnel(struct profile *p, enum tunnel_key k, const char *value)
{
    setting_clear(&p->tunnel[k]);
    (void)setting_put(&p->tunnel[k], value, ORIGIN_FLAG, "test", 0);
}

static void expect_identity(const struct profile *p, const char *identity, const char *label)
{
    AUTO_FREE(char *, is);
    AUTO_FREE(char *, shown);

    is = identity_password(p);
    shown = identity_label(p);
    assert_string_equal(is, identity);
    assert_string_equal(shown, label);
}

static void identities(void **state)
{
    AUTO_PROFILE(p);

    (void)state;
    expect_identity(&p, "mysql://localhost/auto", "auto");
    put(&p, KEY_user, "app");
    expect_identity(&p, "mysql://app@localhost/auto", "app@auto");
    put(&p, KEY_socket, "auto");
    expect_identity(&p, "mysql://app@localhost/auto", "app@auto");
    put(&p, KEY_socket, "/run/mysqld/mysqld.sock");
    expect_identity(&p, "mysql://app@localhost/run/mysqld/mysqld.sock", "app@/run/mysqld/mysqld.sock");
    put(&p, KEY_socket, "");
    put(&p, KEY_host, "db.example.com");
    expect_identity(&p, "mysql://app@db.example.com:3306", "app@db.example.com:3306");
    put(&p, KEY_port, "3307");
    put(&p, KEY_user, "a@b/c;via=x");
    expect_identity(&p, "mysql://a%40b%2Fc%3Bvia%3Dx@db.example.com:3307", "a@b/c;via=x@db.example.com:3307");
    put(&p, KEY_host, "::1");
    put(&p, KEY_user, "app");
    expect_identity(&p, "mysql://app@[::1]:3307", "app@[::1]:3307");
    put(&p, KEY_via, "direct");
    expect_identity(&p, "mysql://app@[::1]:3307", "app@[::1]:3307");
}

static void tunnelled_identities(void **state)
{
    AUTO_PROFILE(p);

    (void)state;
    put(&p, KEY_user, "app");
    put(&p, KEY_host, "127.0.0.1");
    put(&p, KEY_via, "bastion");
    p.tunnel_name = mem_strdup("bastion");
    put_tunnel(&p, TUNNEL_type, "ssh");
    put_tunnel(&p, TUNNEL_host, "b.example.com");
    expect_identity(&p, "mysql://app@127.0.0.1:3306;via=ssh://b.example.com", "app@127.0.0.1:3306");
    put_tunnel(&p, TUNNEL_user, "ec2-user");
    put_tunnel(&p, TUNNEL_port, "2222");
    expect_identity(&p, "mysql://app@127.0.0.1:3306;via=ssh://ec2-user@b.example.com:2222",
                    "app@127.0.0.1:3306");
    put_tunnel(&p, TUNNEL_type, "tcp");
    put_tunnel(&p, TUNNEL_address, "127.0.0.1:13306");
    expect_identity(&p, "mysql://app@127.0.0.1:3306;via=tcp://127.0.0.1:13306", "app@127.0.0.1:3306");
    put_tunnel(&p, TUNNEL_type, "command");
    put_tunnel(&p, TUNNEL_command, "aws ssm start-session");
    AUTO_FREE(char *, first);
    AUTO_FREE(char *, second);
    first = identity_password(&p);
    assert_int_equal(strlen(first), strlen("mysql://app@127.0.0.1:3306;via=command:") + 32);
    assert_true(text_starts(first, "mysql://app@127.0.0.1:3306;via=command:"));
    put_tunnel(&p, TUNNEL_command, "aws ssm start-session --target i-2");
    second = identity_password(&p);
    assert_string_not_equal(first, second);
}

/* The identity of each case differs from all others. tests/cli/test_cache_keys.py tests the influence of
 * paths and the environment. */
static void command_identities(void **state)
{
    static const struct {
        const char *words[4], *user, *host, *database;
    } cases[] = {
        {{"/bin/pass", "show", "db"}, "app", "db", NULL},
        {{"/bin/pass", "show", "db2"}, "app", "db", NULL},
        {{"/bin/pass", "showdb"}, "app", "db", NULL},
        {{"/bin/pass", "show", "db", ""}, "app", "db", NULL},
        {{"/bin/pass"}, "app", "db", NULL},
        {{"/bin/true", "show", "db"}, "app", "db", NULL},
        {{"/bin/pass", "show", "db"}, "app2", "db", NULL},
        {{"/bin/pass", "show", "db"}, "app", "db2", NULL},
        {{"/bin/pass", "show", "db"}, "app", "db", "shop"},

    };
    char *identity[ARRAY_LEN(cases)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_PROFILE(p);
        AUTO_WORDS(words);
        AUTO_FREE(char *, again);
        for (size_t j = 0; j < ARRAY_LEN(cases[i].words) && cases[i].words[j]; j++)
            words_add(&words, cases[i].words[j]);
        put(&p, KEY_user, cases[i].user);
        put(&p, KEY_host, cases[i].host);
        if (cases[i].database)
            put(&p, KEY_database, cases[i].database);
        identity[i] = identity_command(&p, &words);
        again = identity_command(&p, &words);
        assert_string_equal(identity[i], again);
        assert_int_equal(strlen(identity[i]), strlen("command:") + 32);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(identity[i], identity[j]);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        free(identity[i]);
}

static void labels(void **state)
{
    AUTO_PROFILE(p);
    AUTO_FREE(char *, nothing);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, name);

    (void)state;
    nothing = profile_label(&p);
    assert_string_equal(nothing, "local");
    put(&p, KEY_socket, "/tmp/mysql.sock");
    path = profile_label(&p);
    assert_string_equal(path, "/tmp/mysql.sock");
    put(&p, KEY_host, "db.example.com");
    put(&p, KEY_user, "app");
    host = profile_label(&p);
    assert_string_equal(host, "db.example.com");
    p.name = mem_strdup("prod");
    name = profile_label(&p);
    assert_string_equal(name, "prod");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(long_value),
        cmocka_unit_test(tunnel_values),
        cmocka_unit_test(ssh_hosts),
        cmocka_unit_test(durations),
        cmocka_unit_test(names),
        cmocka_unit_test(finding),
        cmocka_unit_test(tables),
        cmocka_unit_test(secrets),
        cmocka_unit_test(settings),
        cmocka_unit_test(identities),
        cmocka_unit_test(tunnelled_identities),
        cmocka_unit_test(command_identities),
        cmocka_unit_test(labels),
    };

    (void)setenv("HOME", "/home/dev", 1);
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
