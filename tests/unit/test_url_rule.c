/* SPDX-License-Identifier: MIT */
/*
 * What a URL may not do. First each key in each context: the expected results are listed here, not taken from
 * keys.def. Then the protection that a URL must not lower, and the servers to which no credential of this
 * machine may be sent.
 */
#include "plan_fixture.h"

#include <model/url.h>

/* Makes the whole plan for a URL, or returns the error. */
static int try(const char *config, const char *url, const struct override *overrides, size_t count,
               struct made *m, struct err *e)
{
    const struct facts facts = FACTS_MYSQL;

    if (derive_text(config, url, overrides, count, m, e) < 0)
        return -1;
    return plan_make(&m->profile, &facts, FOR_CLIENT, &m->plan, e);
}

static void assert_refused(const char *url, const struct err *e)
{
    if (e->code != ERR_DATA || strcmp(e->what, "URL") != 0 || !strstr(e->hint, "or a profile"))
        fail_msg("%s: %d: %s: %s (%s)", url, (int)e->code, e->what, e->msg, e->hint);
}

/* --- keys --- */

static const struct key_case {
    const char *key, *value;
    bool refused;
} keys[] = {
    {"title", "x", false},
    {"inherits", "prod", true},
    {"host", "db.example.com", false},
    {"port", "3307", false},
    {"socket", "", false},
    {"user", "app", false},
    {"database", "shop", false},
    {"auth", "prompt", false},
    {"via", "tcp://127.0.0.1:3999", false},
    {"client", "/tmp/evil", true},
    {"my_cnf", "no", true},
    {"tls", "required", false},
    {"tls_ca", "/ca.pem", false},
    {"tls_cert", "/c.pem", false},
    {"tls_key", "/k.pem", false},
    {"tls_ciphers", "X", false},
    {"tls_version", "TLSv1.2", false},
    {"cleartext", "yes", false},
    {"server_public_key", "yes", false},
    {"compress", "yes", false},
    {"local_infile", "yes", true},
    {"time_zone", "UTC", false},
    {"connect_timeout", "5s", false},
    {"login_timeout", "5s", false},
    {"listen", "0.0.0.0:3306", true},
    {"login", "client", false},
    {"aws_profile", "prod", false},
    {"region", "eu-west-1", false},
    {"sign_host", "prod.c9akciq32.eu-west-1.rds.amazonaws.com", true},
    {"sign_port", "3306", true},
    {"mfa_command", "/tmp/evil", true},
    {"vault_addr", "https://evil.example.com", true},
    {"vault_namespace", "x", true},
    {"vault_ca", "/ca.pem", true},
    {"vault_cert", "/c.pem", true},
    {"vault_key", "/k.pem", true},
    {"vault_auth", "ldap", true},
    {"vault_mount", "x", true},
    {"vault_role", "x", true},
    {"vault_user", "x", true},
    {"vault_role_id", "x", true},
    {"vault_secret_id_file", "/s", true},
    {"vault_jwt_file", "/j", true},
    {"vault_token_file", "/t", true},
    {"vault_path", "database/creds/ro", true},
    {"vault_callback", "localhost:1", true},
    {"vault_revoke", "yes", true},
    {"auth_command", "/tmp/evil", true},
    {"auth_file", "~/.git-credentials", true},
    {"auth_env", "AWS_SECRET_ACCESS_KEY", true},
    {"auth_helper", "/tmp/evil", true},
    {"auth_helper_url", "https://evil.example.com", true},
};

/* KEY=VALUE is appended. With type=tcpip, a key of AWS does not change the provider. */
static const char *const contexts[] = {
    "mysql://app@db.example.com/?type=tcpip&",
    "mysql://app:pw@db.example.com/?type=tcpip&",
    "mysql://app:@127.0.0.1/?type=tcpip&",
    "mysql://app@127.0.0.1/?type=tcpip&",
    "mysql://app@127.0.0.1/?type=ssh&ssh_host=b&ssh_password=x&",
    "mysql://app@db.example.com/?type=tcpip&auth=none&",
};

static const struct key_case *case_of(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (text_equal(keys[i].key, key))
            return &keys[i];
    fail_msg("no case for the key %s: may a URL set it?", key);
    return NULL;
}

static void every_key_in_every_context(void **state)
{
    (void)state;
    for (size_t k = 0; k < KEY_COUNT; k++) {
        const struct key_case *c = case_of(key_infos[k].name);
        for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
            AUTO_MADE(m);
            AUTO_FREE(char *, url);
            struct err e = ERR_INIT;
            url = mem_printf("%s%s=%s", contexts[i], c->key, c->value);
            int got = try("", url, NULL, 0, &m, &e);
            if (c->refused != (got < 0))
                fail_msg("%s: %s (%s)", url, got < 0 ? e.msg : "accepted", e.hint);
            if (got < 0)
                assert_refused(url, &e);
        }
    }
}

/* A flag of the user replaces a key of the URL, as the hint says. */
static void a_flag_replaces_a_refused_key(void **state)
{
    (void)state;
    for (size_t k = 0; k < KEY_COUNT; k++) {
        const struct key_case *c = case_of(key_infos[k].name);
        AUTO_PROFILE(p);
        AUTO_CONFIG(config);
        AUTO_FREE(char *, url);
        const struct override own = {c->key, c->value, "-o"};
        struct err e = ERR_INIT;
        if (!c->refused || k == KEY_inherits)
            continue;
        url = mem_printf("mysql://app@db.example.com/?type=tcpip&%s=%s", c->key, c->value);
        assert_int_equal(load_text("", &config, &e), 0);
        if (config_resolve(config, NULL, url, &own, 1, &p, &e) < 0)
            fail_msg("%s with -o %s: %s", url, c->key, e.msg);
        assert_int_equal(p.set[k].origin, ORIGIN_FLAG);
    }
}

/* --- providers --- */

static void every_provider(void **state)
{
    static const struct {
        const char *auth;
        bool named, there; /* named: a URL may name it; there: also for a server elsewhere */
    } cases[] = {
        {"keychain", true, true}, {"iam", true, true},     {"vault", false, false}, {"command", false, false},
        {"helper", false, false}, {"file", false, false},  {"env", false, false},   {"prompt", true, true},
        {"none", true, true},     {"client", true, false},
    };
    static const char *const hosts[] = {"127.0.0.1", "localhost", "db.example.com"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t h = 0; h < ARRAY_LEN(hosts); h++) {
            AUTO_MADE(m);
            AUTO_FREE(char *, url);
            struct err e = ERR_INIT;
            bool there = h == 2, allowed = cases[i].named && (cases[i].there || !there);
            url = mem_printf("mysql://app@%s/?auth=%s", hosts[h], cases[i].auth);
            int got = try("", url, NULL, 0, &m, &e);
            if (allowed && got < 0 && e.code == ERR_DATA)
                fail_msg("%s: %s", url, e.msg);
            if (!allowed && got == 0)
                fail_msg("%s: accepted", url);
            if (!allowed)
                assert_refused(url, &e);
        }
    }
}

/* --- levels and credentials --- */

#define EVIL "mysql://app@db.example.com/?"
#define RDS "prod.c9akciq32.eu-west-1.rds.amazonaws.com"
#define CLIENT_MSG "no password for it, and the passwords in your option files are not for this server"

static const struct rule_case {
    const char *defaults, *url, *msg; /* msg NULL: accepted */
} rules[] = {
    /* tls lower than the endpoint's usual level */
    {"", EVIL "tls=disabled", "tls = disabled is weaker than this server's usual level, required"},
    {"", EVIL "tls=preferred", "tls = preferred is weaker than this server's usual level, required"},
    {"", EVIL "tls=required", NULL},
    {"", EVIL "tls=verify-ca", NULL},
    {"", EVIL "tls=verify-identity", NULL},
    {"", EVIL "tls=", NULL},
    {"tls = verify-identity", EVIL "tls=required",
     "tls = required is weaker than this server's usual level, verify-identity"},
    {"tls = verify-identity",
     EVIL "tls=", "tls = required is weaker than this server's usual level, verify-identity"},
    {"tls = verify-ca", EVIL "tls=verify-identity", NULL},
    {"tls = disabled", EVIL "tls=disabled", NULL},
    {"tls = disabled", EVIL "server_public_key=yes",
     "server_public_key: without TLS an attacker on the network gets the password"},
    {"tls = disabled", EVIL "allowPublicKeyRetrieval=true",
     "server_public_key: without TLS an attacker on the network gets the password"},
    {"tls = disabled", "mysql://app@127.0.0.1/?via=ssh://b&server_public_key=yes",
     "server_public_key: without TLS an attacker on the network gets the password"},
    {"tls = disabled", EVIL "server_public_key=no", NULL},
    {"tls = disabled", EVIL "server_public_key=yes&tls=required", NULL},
    {"tls = disabled\nserver_public_key = yes", EVIL "server_public_key=yes", NULL},
    {"tls = disabled", "mysql://app@127.0.0.1/?server_public_key=yes", NULL},
    {"tls = disabled", "mysql://app:pw@db.example.com/?server_public_key=yes", NULL},
    {"", EVIL "server_public_key=yes", NULL},
    {"tls = verify-ca", EVIL "server_public_key=yes", NULL},
    {"tls_ca = /own.pem", EVIL "tls=required",
     "tls = required is weaker than this server's usual level, verify-identity"},
    {"", "mysql://app@127.0.0.1/?tls=disabled",
     "tls = disabled is weaker than this server's usual level, preferred"},
    {"", "mysql://app@/?socket=/s&tls=disabled",
     "tls = disabled is weaker than this server's usual level, preferred"},
    {"", EVIL "via=ssh://b&tls=disabled",
     "tls = disabled is weaker than this server's usual level, preferred"},
    {"", EVIL "cleartext=yes", NULL},
    {"", EVIL "cleartext=yes&tls=required",
     "tls = required is weaker than this server's usual level, verify-identity"},
    {"", EVIL "enable_cleartext_plugin=1&tls=required",
     "tls = required is weaker than this server's usual level, verify-identity"},
    {"cleartext = yes", EVIL "cleartext=no",
     "tls = required is weaker than this server's usual level, verify-identity"},
    /* how a server is verified */
    {"", EVIL "tls_ca=/tmp/evil.pem", NULL},
    {"", EVIL "tls=verify-ca&tls_ca=/tmp/evil.pem", NULL},
    {"", EVIL "tls_version=TLSv1.0", NULL},
    {"tls = verify-ca", EVIL "tls_ca=/tmp/evil.pem",
     "tls_ca: would change how this server is verified, verify-ca"},
    {"tls_ca = /own.pem", EVIL "tls_ca=/tmp/evil.pem",
     "tls_ca: would change how this server is verified, verify-identity"},
    {"tls_ca = /own.pem",
     EVIL "tls_ca=", "tls = required is weaker than this server's usual level, verify-identity"},
    {"tls_ca = /own.pem", EVIL "tls_ca=&tls=verify-identity",
     "tls_ca: would change how this server is verified, verify-identity"},
    {"tls = verify-ca", EVIL "tls_ciphers=NULL-SHA",
     "tls_ciphers: would change how this server is verified, verify-ca"},
    {"tls = verify-ca", EVIL "tls_version=TLSv1.0",
     "tls_version: would change how this server is verified, verify-ca"},
    {"", EVIL "cleartext=yes&tls_ca=/tmp/evil.pem",
     "tls_ca: would change how this server is verified, verify-identity"},
    /* IAM */
    {"", "mysql://app@" RDS "/?type=aws_iam&aws_profile=prod", NULL},
    {"", "mysql://app@" RDS "/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:3999", NULL},
    {"", "mysql://app@" RDS "/?type=aws_iam&aws_profile=prod&via=tcp://127.0.0.1:3999&tls=required",
     "tls = required is weaker than this server's usual level, verify-identity"},
    {"", "mysql://app:x@" RDS "/?type=aws_iam&via=tcp://127.0.0.1:3999&tls=required",
     "tls = required is weaker than this server's usual level, verify-identity"},
    {"", "mysql://app@" RDS "/?auth=iam&tls=verify-ca",
     "tls = verify-ca is weaker than this server's usual level, verify-identity"},
    {"", "mysql://app@" RDS "/?aws_region=eu-west-1&ssh_host=evil&tls_ca=/tmp/evil.pem",
     "tls_ca: would change how this server is verified, verify-identity"},
    {"sign_host = " RDS, "mysql://app@/?type=socket&auth=iam",
     "auth = iam with a socket: broker cannot tell whose socket it is"},
    {"sign_host = " RDS "\nauth = iam", "mysql://app@/?socket=/tmp/evil.sock",
     "auth = iam with a socket: broker cannot tell whose socket it is"},
    {"sign_host = " RDS, "mysql://app@h/?auth=iam&ssh_host=evil&ssh_remote_socket_path=/s",
     "auth = iam with a socket: broker cannot tell whose socket it is"},
    /* passwords in the client's own option files */
    {"", "mysql://db.example.com/", CLIENT_MSG},
    {"", "mysql://app@db.example.com/?auth=client", CLIENT_MSG},
    {"", "mysql://app:pw@db.example.com/?auth=client", CLIENT_MSG},
    {"auth = client", "mysql://app@db.example.com/", CLIENT_MSG},
    {"", "mysql://127.0.0.1/?via=tcp://evil.example.com:3306", CLIENT_MSG},
    {"", "mysql://127.0.0.1/?ssh_host=evil.example.com", CLIENT_MSG},
    {"", "mysql://h/?ssh_host=evil.example.com&ssh_remote_socket_path=/s", CLIENT_MSG},
    {"", "mysql://127.0.0.1/", NULL},
    {"", "mysql://localhost/?auth=client", NULL},
    {"", "mysql://[::1]/", NULL},
    {"", "mysql://app@/?type=socket&auth=client", NULL},
    {"via = ssh://b", "mysql://127.0.0.1/", CLIENT_MSG},
    /* a secret that is the same for every server */
    {"auth = command\nauth_command = x", "mysql://app@db.example.com/",
     "auth = command: its secret is not for this server only"},
    {"auth = env\nauth_env = PW", "mysql://app@db.example.com/",
     "auth = env: its secret is not for this server only"},
    {"auth = file\nauth_file = /f", "mysql://app@db.example.com/",
     "auth = file: its secret is not for this server only"},
    {"auth = helper", "mysql://app@db.example.com/", "auth = helper: its secret is not for this server only"},
    {"auth = vault", "mysql://db.example.com/", "auth = vault: its secret is not for this server only"},
    {"auth = command\nauth_command = x", "mysql://app@127.0.0.1/", NULL},
    {"auth = command\nauth_command = x", "mysql://app@127.0.0.1/?via=tcp://evil:1",
     "auth = command: its secret is not for this server only"},
    {"auth = iam", "mysql://app@" RDS "/", NULL},
    /* a URL with its own password, or with auth = none, uses no credential of ours */
    {"", "mysql://app:pw@db.example.com/?tls=disabled", NULL},
    {"", "mysql://app:pw@db.example.com/?tls=disabled", NULL},
    {"", "mysql://app:@db.example.com/?tls=disabled", NULL},
    {"tls = verify-identity\ntls_ca = /own.pem", "mysql://app:pw@db.example.com/?tls_ca=/x&tls_version=TLSv1",
     NULL},
    {"auth = command\nauth_command = x", "mysql://app:pw@db.example.com/?tls=preferred", NULL},
    {"auth = client", "mysql://app:pw@db.example.com/?tls=preferred", NULL},
    {"", "mysql://app@db.example.com/?auth=none&tls=disabled", NULL},
    {"", "mysql://app@db.example.com/?ssh_host=b&ssh_password=x&tls=disabled",
     "tls = disabled is weaker than this server's usual level, preferred"},
    /* what a program could take for an option */
    {"", "mysql://app@db.example.com/--init-command=x",
     "database: begins with '-', so a program would take it for an option"},
    {"", "mysql://-e@db.example.com/", "user: begins with '-', so a program would take it for an option"},
};

static void lowers_no_protection_and_sends_no_credential(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct rule_case *c = &rules[i];
        AUTO_MADE(m);
        AUTO_FREE(char *, text);
        struct err e = ERR_INIT;
        text = mem_printf("[defaults]\n%s\n", c->defaults);
        int got = try(text, c->url, NULL, 0, &m, &e);
        if (!c->msg && got < 0)
            fail_msg("%s: %s: %s", c->defaults, c->url, e.msg);
        if (!c->msg)
            continue;
        if (got == 0)
            fail_msg("%s: %s: accepted", c->defaults, c->url);
        assert_string_equal(e.msg, c->msg);
        assert_refused(c->url, &e);
    }
}

/* The hint names a solution that works: a user in the URL, if it has none, or the flag. */
static void hints_for_a_credential(void **state)
{
    static const struct {
        const char *url, *hint;
    } rows[] = {{"mysql://db.example.com/", "mysql://USER@HOST, or -o auth=client, or a profile"},
                {"mysql://app@db.example.com/?auth=client", "-o auth=client, or a profile"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_MADE(m);
        struct err e = ERR_INIT;
        assert_int_equal(try("", rows[i].url, NULL, 0, &m, &e), -1);
        assert_string_equal(e.hint, rows[i].hint);
    }
}

/* The user may set with a flag what a URL may not set. */
static void flags_are_allowed(void **state)
{
    static const struct {
        const char *defaults, *url;
        struct override own;
    } cases[] = {
        {"", EVIL "tls=required", {"tls", "disabled", "--tls"}},
        {"", EVIL "tls=disabled", {"tls", "preferred", "--tls"}},
        {"tls = verify-ca", EVIL "tls_ca=/evil.pem", {"tls_ca", "/mine.pem", "-o tls_ca"}},
        {"", "mysql://db.example.com/", {"auth", "client", "--auth"}},
        {"", "mysql://app@db.example.com/?auth=client", {"auth", "client", "--auth"}},
        {"auth_command = x", "mysql://app@db.example.com/?auth=env", {"auth", "command", "--auth"}},
        {"auth = command\nauth_command = x", "mysql://app@db.example.com/", {"auth", "command", "--auth"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_MADE(m);
        AUTO_FREE(char *, text);
        struct err e = ERR_INIT;
        text = mem_printf("[defaults]\n%s\n", cases[i].defaults);
        if (try(text, cases[i].url, &cases[i].own, 1, &m, &e) < 0)
            fail_msg("%s: %s", cases[i].url, e.msg);
    }
}

/* The URL's own password is used, whatever [defaults] sets for all servers. */
static void own_password_is_used_first(void **state)
{
    static const char *const others[] = {"auth = command\nauth_command = x",
                                         "auth = env\nauth_env = PW",
                                         "auth = client",
                                         "auth = iam",
                                         "auth = none",
                                         "auth = prompt"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        AUTO_MADE(m);
        AUTO_FREE(char *, text);
        struct err e = ERR_INIT;
        text = mem_printf("[defaults]\n%s\n", others[i]);
        assert_int_equal(try(text, "mysql://app:pw@db.example.com/", NULL, 0, &m, &e), 0);
        assert_null(m.plan.provider);
    }
}

static void shell_characters_in_the_ssh_user_are_refused(void **state)
{
    static const char bad[] = "`$;&|<>(){}*!'\"\\ ";

    (void)state;
    for (const char *c = bad; *c; c++) {
        AUTO_PROFILE(p);
        AUTO_FREE(char *, url);
        struct err e = ERR_INIT;
        url = mem_printf("mysql://u@h/?ssh_host=b&ssh_user=a%%%02xb", (unsigned char)*c);
        if (url_parse(url, &p, &e) == 0)
            fail_msg("%s: accepted", url);
        assert_int_equal(e.code, ERR_DATA);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_in_every_context),
        cmocka_unit_test(a_flag_replaces_a_refused_key),
        cmocka_unit_test(every_provider),
        cmocka_unit_test(lowers_no_protection_and_sends_no_credential),
        cmocka_unit_test(hints_for_a_credential),
        cmocka_unit_test(flags_are_allowed),
        cmocka_unit_test(own_password_is_used_first),
        cmocka_unit_test(shell_characters_in_the_ssh_user_are_refused),
    };

    return cmocka_run_group_tests_name("url_rule", tests, NULL, NULL);
}
