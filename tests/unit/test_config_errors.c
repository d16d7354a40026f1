/* SPDX-License-Identifier: MIT */
/* Errors in config files, with their exact texts; and `profile check`. */
#include "config_fixture.h"

/* Loads the config and resolves a profile, which must fail with this error. */
static void expect_error(const char *name, enum err_code code, const char *what, const char *msg,
                         const char *hint)
{
    AUTO_CONFIG(c);
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;
    int got = config_load(&c, &e);

    if (got == 0)
        got = config_resolve(c, name, NULL, NULL, 0, &p, &e);
    assert_int_equal(got, -1);
    assert_string_equal(e.msg, msg);
    assert_string_equal(e.what, what);
    assert_string_equal(e.hint, hint);
    assert_int_equal(e.code, code);
}

/* Writes the config file; resolving its profile p must fail with an error at this line. */
static void expect_in_file(const char *text, unsigned line, const char *msg, const char *hint)
{
    char what[64];

    write_text(MAIN_FILE, text);
    (void)snprintf(what, sizeof what, "~/.config/broker/config:%u", line);
    expect_error("p", ERR_CONFIG, what, msg, hint);
}

static void common_mistakes(void **state)
{
    (void)state;
    expect_in_file("[profile p]\nhost = h\nuser = u\ndatabse = shop\n", 4, "unknown key 'databse'",
                   "did you mean 'database'?");
    write_text(MAIN_FILE, "[profile prod]\nhost = h\n\n[profile shop]\nhost = h\npassword = s3cret\n");
    expect_error("shop", ERR_CONFIG, "~/.config/broker/config:6", "no secrets in this file: 'password'",
                 "delete the line, then: broker password set shop");
    expect_error("prdo", ERR_CONFIG, "prdo", "no such profile", "did you mean 'prod'?");
    set_mode(MAIN_FILE, 0660);
    expect_error("prod", ERR_CONFIG, "~/.config/broker/config", "writable by group",
                 "chmod go-w ~/.config/broker/config");
    set_mode(MAIN_FILE, 0602);
    expect_error("prod", ERR_CONFIG, "~/.config/broker/config", "writable by others",
                 "chmod go-w ~/.config/broker/config");
}

static void secrets(void **state)
{
    (void)state;
    expect_in_file("[tunnel b]\ntype = ssh\nhost = b\npasswd = x\n[profile p]\nvia = b\n", 4,
                   "no secrets in this file: 'passwd'",
                   "delete the line, then: broker password set --tunnel b");
    expect_in_file("[defaults]\nssh_password = x\n[profile p]\n", 2,
                   "no secrets in this file: 'ssh_password'",
                   "delete the line, then: broker password set NAME");
    expect_in_file("[profile p]\nToken = x\n", 2, "no secrets in this file: 'Token'",
                   "delete the line, then: broker password set p");
}

static void keys(void **state)
{
    (void)state;
    expect_in_file("[profile p]\nxyzzyxyzzy = 1\n", 2, "unknown key 'xyzzyxyzzy'", "broker help config");
    expect_in_file("[profile p]\nhostname = x\n", 2, "unknown key 'hostname'", "did you mean 'host'?");
    expect_in_file("[profile p]\nssl-mode = x\n", 2, "unknown key 'ssl-mode'", "did you mean 'tls'?");
    expect_in_file("[profile p]\nvia = t\n[tunnel t]\nhostname = x\n", 4, "unknown key 'hostname'",
                   "did you mean 'host'?");
    expect_in_file("[profile p]\ntls-ca = /x\n", 2, "unknown key 'tls-ca'", "did you mean 'tls_ca'?");
    expect_in_file("[profile p]\nHost = x\n", 2, "unknown key 'Host'", "did you mean 'host'?");
    expect_in_file("[profile p]\nidentity = /x\n", 2, "unknown key 'identity'",
                   "it belongs in [tunnel NAME]");
    expect_in_file("[profile p]\nstore = keyring\n", 2, "unknown key 'store'", "it belongs in [defaults]");
    expect_in_file("[profile p]\ninclude = x\n", 2, "unknown key 'include'", "it belongs in [defaults]");
    expect_in_file("[defaults]\ninherits = p\n[profile p]\n", 2, "unknown key 'inherits'",
                   "it belongs in [profile NAME]");
    expect_in_file("[profile p]\nvia = b\n[tunnel b]\ndatabase = x\n", 4, "unknown key 'database'",
                   "it belongs in [profile NAME]");
    expect_in_file("[profile p]\nport = 70000\n", 2, "port: '70000' is not a number from 1 to 65535",
                   "for example: port = 3306");
    expect_in_file("[defaults]\ntls = on\n[profile p]\n", 2, "tls: unknown value 'on'",
                   "tls is one of: disabled preferred required verify-ca verify-identity");
    expect_in_file("[defaults]\nstore = keyrng\n[profile p]\n", 2, "store: unknown value 'keyrng'",
                   "did you mean 'keyring'?");
    expect_in_file("[profile p]\nhost = h\nsocket = /s\n", 3, "host and socket contradict each other",
                   "keep host for TCP, or socket for a server on this machine");
    expect_in_file("[profile p]\nsocket = /s\nhost = h\n", 3, "host and socket contradict each other",
                   "keep host for TCP, or socket for a server on this machine");
}

static void structure(void **state)
{
    (void)state;
    expect_in_file("[profile p]\n[profile q]\n[profile p]\n", 3, "[profile p] again, after line 1",
                   "merge the two sections");
    expect_in_file("[defaults]\n[profile p]\n[defaults]\n", 3, "[defaults] again, after line 1",
                   "merge the two sections");
    expect_in_file("[profile q]\n[profile p]\nhost = a\nport = 1\nhost = b\n", 5,
                   "'host' again in the same section", "delete one of the lines");
    expect_in_file("[profile p]\n[profil q]\n", 2, "unknown section [profil q]", "did you mean [profile q]?");
    expect_in_file("[profile p]\n[q]\n", 2, "unknown section [q]", "did you mean [profile q]?");
    expect_in_file("[profile p]\n[default]\n", 2, "unknown section [default]", "did you mean [defaults]?");
    expect_in_file("[profile p]\n[something else entirely]\n", 2, "unknown section [something else entirely]",
                   "[defaults], [profile NAME] or [tunnel NAME]");
    expect_in_file("[profile p]\n[profile a/b]\n", 2, "[profile a/b]: not a valid name",
                   "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
    expect_in_file("[profile p]\n[profile]\n", 2, "[profile]: not a valid name",
                   "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
    expect_in_file("[profile p]\n[profile \"q\"]\n", 2, "[profile \"q\"]: not a valid name",
                   "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
    expect_in_file("[profile p]\n[tunnel direct]\n", 2,
                   "[tunnel direct]: this name is built in and means no tunnel",
                   "give the tunnel another name");
    expect_in_file("[profile p]\nhost = a # b\n", 2, "unquoted ' #' in a value",
                   "quote the value: \"...\"; a comment has a line of its own");
}

static void nul_byte_and_size(void **state)
{
    AUTO_BUF(big, 16 * 1024 * 1024);

    (void)state;
    write_bytes(MAIN_FILE, "[profile p]\nhost = a\0b\n", 23);
    expect_error("p", ERR_CONFIG, "~/.config/broker/config:2", "NUL byte",
                 "save the file as plain UTF-8 text");
    buf_puts(&big, "[profile p]\n");
    while (big.len < 10 * 1024 * 1024)
        buf_puts(&big, "# a comment that makes the file larger than any config file is\n");
    write_bytes(MAIN_FILE, big.data, big.len);
    expect_error("p", ERR_CONFIG, "~/.config/broker/config", "over 1048576 bytes",
                 "split it into several files with include");
}

static void many_keys(void **state)
{
    AUTO_BUF(text, 65536);

    (void)state;
    buf_puts(&text, "[profile p]\n");
    for (int i = 0; i < 300; i++)
        buf_printf(&text, "key%d = x\n", i);
    write_text(MAIN_FILE, buf_str(&text));
    expect_error("q", ERR_CONFIG, "~/.config/broker/config:258", "too many keys in one section",
                 "delete some of them");
}

static void inheritance(void **state)
{
    (void)state;
    expect_in_file("[profile p]\ninherits = q\n[profile q]\ninherits = r\n[profile r]\ninherits = p\n", 6,
                   "inherits loop: p -> q -> r -> p", "delete one of the inherits lines");
    expect_in_file("[profile p]\ninherits = p\n", 2, "inherits loop: p -> p",
                   "delete one of the inherits lines");
    expect_in_file("[profile p]\ninherits = q\n[profile q]\ninherits = r\n[profile r]\ninherits = q\n", 6,
                   "inherits loop: p -> q -> r -> q", "delete one of the inherits lines");
    expect_in_file("[profile base]\n[profile p]\ninherits = bsae\n", 3, "inherits = bsae: no such profile",
                   "did you mean 'base'?");
    expect_in_file("[profile base]\n[profile p]\ninherits = nothing\n", 3,
                   "inherits = nothing: no such profile", "broker profile list");
    expect_in_file("[profile p]\ninherits = q\n[profile q]\nprot = 1\n", 4, "unknown key 'prot'",
                   "did you mean 'port'?");
}

static void tunnels(void **state)
{
    (void)state;
    expect_in_file("[tunnel bastion]\ntype = ssh\nhost = b\n[profile p]\nvia = bastoin\n", 5,
                   "no such tunnel 'bastoin'", "did you mean 'bastion'?");
    expect_in_file("[profile p]\nvia = bastion\n", 2, "no such tunnel 'bastion'",
                   "add [tunnel bastion], or via = ssh://[USER@]HOST");
    expect_in_file("[tunnel b]\nhost = b\n[profile p]\nvia = b\n", 1, "[tunnel b] has no type",
                   "type = ssh, command or tcp");
    expect_in_file("[tunnel b]\ntype = ssh\n[profile p]\nvia = b\n", 1, "[tunnel b] has no host",
                   "host = bastion.example.com");
    expect_in_file("[tunnel b]\ntype = command\n[profile p]\nvia = b\n", 1, "[tunnel b] has no command",
                   "command = PROGRAM ARGUMENT...");
    expect_in_file("[tunnel b]\ntype = command\ncommand = x {port}\nready = up\n[profile p]\nvia = b\n", 1,
                   "[tunnel b] has no address",
                   "address = 127.0.0.1:13306, where it listens, or {local_port} in command");
    expect_in_file("[tunnel b]\ntype = tcp\n[profile p]\nvia = b\n", 1, "[tunnel b] has no address",
                   "address = 127.0.0.1:13306");
}

static void includes(void **state)
{
    (void)state;
    expect_in_file("[defaults]\n\ninclude = none\n[profile p]\n", 3,
                   "include: no such file: ~/.config/broker/none",
                   "create the file, or delete the line; a path is relative to the including file");
    write_text(MAIN_FILE, "[defaults]\ninclude = team\n[profile p]\n");
    write_text(".config/broker/team", "[profile q]\n[defaults]\ninclude = ./config\n");
    expect_error("p", ERR_CONFIG, "~/.config/broker/team:3",
                 "include loop: ~/.config/broker/config -> ~/.config/broker/team -> "
                 "~/.config/broker/./config",
                 "delete one of the includes");
    write_text(".config/broker/team", "[profile p]\nprot = 1\n");
    expect_error("p", ERR_CONFIG, "~/.config/broker/team:2", "unknown key 'prot'", "did you mean 'port'?");
    set_mode(".config/broker/team", 0620);
    expect_error("p", ERR_CONFIG, "~/.config/broker/team", "writable by group",
                 "chmod go-w ~/.config/broker/team");
}

static void include_depth(void **state)
{
    AUTO_CONFIG(c);
    struct err e = ERR_INIT;

    (void)state;
    for (int i = 0; i <= 9; i++) {
        AUTO_FREE(char *, name);
        AUTO_FREE(char *, text);
        name = i ? mem_printf(".config/broker/f%d", i) : mem_strdup(MAIN_FILE);
        text = mem_printf("[defaults]\ninclude = f%d\n", i + 1);
        write_text(name, i == 8 ? "[profile p]\n" : text);
    }
    assert_int_equal(config_load(&c, &e), 0);
    assert_string_equal(config_profile_names(c)[0], "p");
    write_text(".config/broker/f8", "[defaults]\ninclude = f9\n");
    expect_error("p", ERR_CONFIG, "~/.config/broker/f8:2", "include is more than 8 deep",
                 "use fewer levels of files");
}

/* A run checks only the sections that it uses, except for the bytes and the headers of the whole file. */
static void unused_sections(void **state)
{
    AUTO_CONFIG(c);
    AUTO_PROFILE(p);
    AUTO_PROFILE(q);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE, "[profile p]\nhost = h\n[profile q]\nprot = 1\npassword = x\ninherits = q\n"
                          "[tunnel b]\ntype = x\n[profile r]\nx = # y\n z\n");
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_resolve(c, "p", NULL, NULL, 0, &p, &e), 0);
    assert_int_equal(config_resolve(c, "q", NULL, NULL, 0, &q, &e), -1);
}

/* A section may not be found because of an invalid line elsewhere; then that line is the error. */
static void hidden_sections(void **state)
{
    (void)state;
    write_text(MAIN_FILE, "[profile q]\nhost = h\n -[profile p]\nhost = i\n");
    expect_error("p", ERR_CONFIG, "~/.config/broker/config:3", "no '=' in this line",
                 "a line is KEY = VALUE, [SECTION] or # COMMENT");
    write_text(MAIN_FILE, "[profile p]\nvia = b\n[profile q]\nhost = h\nhost = i\n");
    expect_error("p", ERR_CONFIG, "~/.config/broker/config:5", "'host' again in the same section",
                 "delete one of the lines");
    write_text(MAIN_FILE, "[profile p]\ninherits = b\n[profile q]\nhost\n");
    expect_error("p", ERR_CONFIG, "~/.config/broker/config:4", "no '=' in this line",
                 "a line is KEY = VALUE, [SECTION] or # COMMENT");
}

static void names(void **state)
{
    (void)state;
    expect_error("p", ERR_CONFIG, "p", "no such profile", "broker profile add p");
    write_text(MAIN_FILE, "[profile warehouse]\n");
    expect_error("p", ERR_CONFIG, "p", "no such profile", "broker profile list");
    expect_error("a/b", ERR_CONFIG, "a/b", "no such profile",
                 "a name has letters, digits and . _ @ + -; a URL has ://");
}

static void unreadable(void **state)
{
    (void)state;
    write_text(MAIN_FILE "/x", "");
    expect_error("p", ERR_IO, "~/.config/broker/config", "is a folder", "make it readable, or delete it");
}

/* --- the command line and the environment --- */

static void expect_override_error(struct override o, enum err_code code, const char *msg, const char *hint)
{
    AUTO_CONFIG(c);
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    write_text(MAIN_FILE, "[profile p]\nhost = h\n[tunnel bastion]\ntype = ssh\nhost = b\n");
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_resolve(c, "p", NULL, &o, 1, &p, &e), -1);
    assert_string_equal(e.msg, msg);
    assert_string_equal(e.hint, hint);
    assert_string_equal(e.what, o.flag);
    assert_int_equal(e.code, code);
}

static void overrides(void **state)
{
    (void)state;
    expect_override_error((struct override){"prot", "1", "-o prot"}, ERR_USAGE, "unknown key 'prot'",
                          "did you mean 'port'?");
    expect_override_error((struct override){"port", "x", "-P"}, ERR_USAGE,
                          "port: not a number from 1 to 65535", "for example: port = 3306");
    expect_override_error((struct override){"tunnel.prot", "1", "-o tunnel.prot"}, ERR_USAGE,
                          "unknown key 'tunnel.prot'", "did you mean 'tunnel.port'?");
    expect_override_error((struct override){"identity", "/x", "-o identity"}, ERR_USAGE,
                          "unknown key 'identity'", "did you mean 'tunnel.identity'?");
    expect_override_error((struct override){"store", "keyring", "-o store"}, ERR_USAGE, "unknown key 'store'",
                          "it belongs in [defaults] of the config file");
    expect_override_error((struct override){"password", "s3cret", "-o password"}, ERR_USAGE,
                          "no secrets on the command line: 'password'", "broker password set NAME");
    expect_override_error((struct override){"tunnel.host", "x", "-o tunnel.host"}, ERR_USAGE,
                          "there is no tunnel to set this for", "--via TUNNEL, or via in the profile");
    expect_override_error((struct override){"via", "bastoin", "--via"}, ERR_USAGE, "no such tunnel 'bastoin'",
                          "did you mean 'bastion'?");
    expect_override_error((struct override){"inherits", "q", "-o inherits"}, ERR_CONFIG,
                          "inherits = q: no such profile", "broker profile list");
}

/* An option that changes an inline tunnel so that it lacks a key that its type needs. */
static void inline_tunnels(void **state)
{
    static const struct {
        const char *via, *key, *value, *msg, *hint;
    } rows[] = {
        {"tcp://h:3", "tunnel.type", "command", "tcp://h:3 has no command", "command = PROGRAM ARGUMENT..."},
        {"tcp://h:3", "tunnel.type", "ssh", "tcp://h:3 has no host", "host = bastion.example.com"},
        {"ssh://u@h", "tunnel.type", "tcp", "ssh://u@h has no address", "address = 127.0.0.1:13306"},
        {"ssh://u@h", "tunnel.host", "", "ssh://u@h has no host", "host = bastion.example.com"},
        {"tcp://h:3", "tunnel.type", "", "tcp://h:3 has no type", "type = ssh, command or tcp"},
    };

    (void)state;
    write_text(MAIN_FILE, "[profile p]\nhost = h\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_CONFIG(c);
        AUTO_PROFILE(p);
        const struct override o[] = {{"via", rows[i].via, "--via"}, {rows[i].key, rows[i].value, "-o KEY"}};
        struct err e = ERR_INIT;
        assert_int_equal(config_load(&c, &e), 0);
        assert_int_equal(config_resolve(c, "p", NULL, o, 2, &p, &e), -1);
        assert_string_equal(e.msg, rows[i].msg);
        assert_string_equal(e.hint, rows[i].hint);
        assert_string_equal(e.what, *rows[i].value || i == 4 ? "-o KEY" : "--via");
        assert_int_equal(e.code, ERR_USAGE);
    }
}

static void two_flags(void **state)
{
    AUTO_CONFIG(c);
    AUTO_PROFILE(p);
    const struct override o[] = {{"host", "h", "--host"}, {"socket", "/s", "-S"}};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_resolve(c, NULL, NULL, o, 2, &p, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_string_equal(e.what, "-S");
    assert_string_equal(e.msg, "host and socket contradict each other");
}

static void environment(void **state)
{
    (void)state;
    write_text(MAIN_FILE, "[profile p]\nport = 3307\n");
    (void)setenv("BROKER_PORT", "many", 1);
    expect_error("p", ERR_CONFIG, "BROKER_PORT", "port: not a number from 1 to 65535",
                 "for example: port = 3306");
    (void)unsetenv("BROKER_PORT");
    (void)setenv("BROKER_VIA", "nowhere", 1);
    expect_error("p", ERR_CONFIG, "BROKER_VIA", "no such tunnel 'nowhere'",
                 "add [tunnel nowhere], or via = ssh://[USER@]HOST");
}

static void url_errors(void **state)
{
    AUTO_CONFIG(c);
    AUTO_PROFILE(p);
    AUTO_PROFILE(q);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_resolve(c, NULL, "mysql://h/?colour=red", NULL, 0, &p, &e), -1);
    assert_int_equal(e.code, ERR_DATA);
    assert_string_equal(e.what, "URL");
    assert_string_equal(e.msg, "unknown parameter 'colour'");
    assert_string_equal(e.hint, "broker help urls");
    assert_int_equal(config_resolve(c, NULL, "mysql://u@h/?ssh_remote_socket_path=/s", NULL, 0, &q, &e), -1);
    assert_string_equal(e.msg, "ssh_remote_socket_path without ssh_host");
    assert_int_equal(e.code, ERR_DATA);
}

/* --- profile check --- */

static void note_error(void *context, const struct err *e)
{
    buf_printf(context, "%s: %s\n", e->what, e->msg);
    assert_true(e->hint[0] != '\0');
    assert_int_equal(e->code, ERR_CONFIG);
}

static void check_all(void **state)
{
    AUTO_CONFIG(c);
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    (void)state;
    /* The comments are the line numbers in the file. */
    write_text(MAIN_FILE, "[defaults]\ninclude = team\nvia = b1\ntls = x\n"             /* 1 */
                          "[profile a]\nhost = h\nsocket = /s\nprot = 1\n"              /* 5 */
                          "[profile b]\ninherits = c\nhost = h\nsocket = /s\n"          /* 9 */
                          "[profile c]\ninherits = b\nvia = b2\n"                       /* 13 */
                          "[profile d]\ninherits = c\n[profile e]\ninherits = nobody\n" /* 16 */
                          "[profile f]\ninherits = e\nvia = ssh://x\n"                  /* 20 */
                          "[tunnel t]\ntype = ssh\n[tunnel u]\ntype = ssh\nhost = h\n"  /* 23 */
                          "[profile g]\nprot = 1\nhost\n");                             /* 28 */
    write_text(".config/broker/team", "[profile a]\nuser = u\npasswd = x\n[tunnel u]\nhots = h\n");
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_check(c, note_error, &out), 12);
    assert_string_equal(buf_str(&out), "~/.config/broker/config:3: no such tunnel 'b1'\n"
                                       "~/.config/broker/config:4: tls: unknown value 'x'\n"
                                       "~/.config/broker/config:8: unknown key 'prot'\n"
                                       "~/.config/broker/config:12: host and socket contradict each other\n"
                                       "~/.config/broker/config:14: inherits loop: b -> c -> b\n"
                                       "~/.config/broker/config:15: no such tunnel 'b2'\n"
                                       "~/.config/broker/config:19: inherits = nobody: no such profile\n"
                                       "~/.config/broker/config:23: [tunnel t] has no host\n"
                                       "~/.config/broker/config:29: unknown key 'prot'\n"
                                       "~/.config/broker/config:30: no '=' in this line\n"
                                       "~/.config/broker/team:3: no secrets in this file: 'passwd'\n"
                                       "~/.config/broker/team:5: unknown key 'hots'\n");
}

static void check_valid_file(void **state)
{
    AUTO_CONFIG(c);
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE,
               "[defaults]\nvia = t\n[profile a]\nhost = h\n[profile b]\ninherits = a\nsocket = /s\n"
               "[tunnel t]\ntype = tcp\naddress = 1\n");
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_check(c, note_error, &out), 0);
}

static void check_missing_file(void **state)
{
    AUTO_CONFIG(c);
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    (void)state;
    (void)setenv("BROKER_CONFIG", "~/none", 1);
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_check(c, note_error, &out), 1);
    assert_string_equal(buf_str(&out), "~/none: no such file\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_home, drop_home)
        TEST(common_mistakes),
        TEST(secrets),
        TEST(keys),
        TEST(structure),
        TEST(nul_byte_and_size),
        TEST(many_keys),
        TEST(inheritance),
        TEST(tunnels),
        TEST(includes),
        TEST(include_depth),
        TEST(names),
        TEST(hidden_sections),
        TEST(unused_sections),
        TEST(unreadable),
        TEST(overrides),
        TEST(inline_tunnels),
        TEST(two_flags),
        TEST(environment),
        TEST(url_errors),
        TEST(check_all),
        TEST(check_valid_file),
        TEST(check_missing_file),
    };

    return cmocka_run_group_tests_name("config, errors", tests, NULL, NULL);
}
