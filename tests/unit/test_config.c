/* SPDX-License-Identifier: MIT */
/* Resolving profiles: the values, the layer that each comes from, and the precedence of the layers. */
#include <model/config_edit.h>

#include "config_fixture.h"

#define MOST_OVERRIDES 8

/* Resolves a profile or a URL with overrides "KEY=VALUE" (the flag is -o KEY). */
static int resolve(const char *name, const char *url, const char *const *options, struct profile *p,
                   struct err *e)
{
    struct override o[MOST_OVERRIDES] = {0};
    char *keys[MOST_OVERRIDES] = {0}, *flags[MOST_OVERRIDES] = {0};
    size_t count = 0;
    AUTO_CONFIG(c);
    int got = config_load(&c, e);

    for (; options && options[count]; count++) {
        size_t n = strcspn(options[count], "=");
        keys[count] = mem_strndup(options[count], n);
        flags[count] = mem_printf("-o %s", keys[count]);
        o[count] = (struct override){keys[count], options[count] + n + 1, flags[count]};
    }
    if (got == 0)
        got = config_resolve(c, name, url, o, count, p, e);
    for (size_t i = 0; i < count; i++) {
        free(keys[i]);
        free(flags[i]);
    }
    return got;
}

/* Renders the keys that are set, except built-in and derived values, as `key=value`, separated by spaces. */
static void describe(const struct profile *p, struct buf *out)
{
    for (size_t k = 0; k < KEY_COUNT; k++)
        if (p->set[k].value && p->set[k].origin > ORIGIN_DERIVED)
            buf_printf(out, "%s%s=%s", out->len ? " " : "", key_infos[k].name, p->set[k].value);
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (p->tunnel[k].value && p->tunnel[k].origin > ORIGIN_DERIVED)
            buf_printf(out, " tunnel.%s=%s", tunnel_key_infos[k].name, p->tunnel[k].value);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect(const char *name, const char *url, const char *const *options, const char *settings)
{
    AUTO_PROFILE(p);
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    if (resolve(name, url, options, &p, &e) < 0)
        fail_msg("%s: %s", e.what, e.msg);
    describe(&p, &out);
    assert_string_equal(buf_str(&out), settings);
}

static const char three_profiles[] = "[profile prod]\n"
                                     "host        = prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com\n"
                                     "user        = app_ro\n"
                                     "database    = shop\n"
                                     "auth        = iam\n"
                                     "aws_profile = prod\n"
                                     "via         = bastion\n"
                                     "\n"
                                     "[tunnel bastion]\n"
                                     "type = ssh\n"
                                     "host = bastion.example.com\n"
                                     "user = ec2-user\n"
                                     "\n"
                                     "[profile foreflow]\n"
                                     "host     = 127.0.0.1\n"
                                     "user     = foreflow\n"
                                     "via      = ssh://acme@acme.foreflow.example\n"
                                     "\n"
                                     "[profile local]\n";

/* Each value, and where it was set. */
static void origins_of_values(void **state)
{
    AUTO_PROFILE(p);
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE, three_profiles);
    path = at_home(MAIN_FILE);
    assert_int_equal(setenv("BROKER_TIME_ZONE", "UTC", 1), 0);
    assert_int_equal(resolve("prod", NULL, NULL, &p, &e), 0);
    assert_string_equal(p.name, "prod");
    assert_string_equal(p.tunnel_name, "bastion");
    assert_string_equal(profile_str(&p, KEY_user), "app_ro");
    assert_int_equal(p.set[KEY_host].line, 2);
    assert_int_equal(p.set[KEY_host].origin, ORIGIN_FILE);
    assert_string_equal(p.set[KEY_host].from, path);
    assert_int_equal(p.tunnel[TUNNEL_user].line, 12);
    assert_string_equal(p.set[KEY_time_zone].value, "UTC");
    assert_string_equal(p.set[KEY_time_zone].from, "BROKER_TIME_ZONE");
    assert_int_equal(p.set[KEY_time_zone].line, 0);
    assert_int_equal(p.set[KEY_port].origin, ORIGIN_BUILT_IN);
    assert_int_equal(profile_number(&p, KEY_port), 3306);
    assert_string_equal(profile_tunnel_str(&p, TUNNEL_ssh_engine), "auto");
}

static void inline_tunnels(void **state)
{
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE, three_profiles);
    expect("foreflow", NULL, NULL,
           "host=127.0.0.1 user=foreflow via=ssh://acme@acme.foreflow.example tunnel.type=ssh "
           "tunnel.host=acme.foreflow.example tunnel.user=acme");
    expect("foreflow", NULL, OPTIONS("via=tcp://localhost:1"),
           "host=127.0.0.1 user=foreflow via=tcp://localhost:1 tunnel.type=tcp tunnel.address=localhost:1");
    expect("foreflow", NULL, OPTIONS("tunnel.identity=/key", "tunnel.port=2222"),
           "host=127.0.0.1 user=foreflow via=ssh://acme@acme.foreflow.example tunnel.type=ssh "
           "tunnel.host=acme.foreflow.example tunnel.port=2222 tunnel.user=acme tunnel.identity=/key");
    assert_int_equal(resolve("foreflow", NULL, NULL, &p, &e), 0);
    assert_null(p.tunnel_name);
    assert_true(profile_is_tunnelled(&p));
    assert_int_equal(p.tunnel[TUNNEL_host].line, 17);
}

static void layers(void **state)
{
    (void)state;
    write_text(MAIN_FILE,
               "[defaults]\nuser = of_defaults\ndatabase = of_defaults\ntime_zone = of_defaults\ntitle = d\n"
               "[profile p]\nhost = h\nuser = of_file\n");
    (void)setenv("BROKER_USER", "of_env", 1);
    (void)setenv("BROKER_DATABASE", "of_env", 1);
    (void)setenv("BROKER_PORT", "3307", 1);
    (void)setenv("BROKER_UNKNOWN_KEY", "x", 1);
    expect("p", NULL, NULL, "title=d host=h port=3307 user=of_file database=of_env time_zone=of_defaults");
    expect("p", NULL, OPTIONS("user=of_flag", "time-zone=of_flag"),
           "title=d host=h port=3307 user=of_flag database=of_env time_zone=of_flag");
    expect(NULL, NULL, OPTIONS("host=x"),
           "title=d host=x port=3307 user=of_env database=of_env time_zone=of_defaults");
    expect(NULL, "mysql://of_url@y/", NULL,
           "title=d host=y port=3307 user=of_url database=of_env time_zone=of_defaults");
    expect(NULL, "mysql://of_url@y/", OPTIONS("user=of_flag", "user=twice"),
           "title=d host=y port=3307 user=twice database=of_env time_zone=of_defaults");
}

static void empty_unsets(void **state)
{
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE, "[defaults]\nvia = b\nuser = u\nport = 3307\n"
                          "[tunnel b]\ntype = ssh\nhost = b\n"
                          "[profile base]\ndatabase = d\nconnect_timeout = 1s\n"
                          "[profile p]\ninherits = base\nhost = h\nvia =\nport =\ndatabase = \"\"\n");
    expect("p", NULL, NULL, "inherits=base host=h user=u connect_timeout=1s");
    expect("p", NULL, OPTIONS("via=b", "user=", "connect_timeout="),
           "inherits=base host=h via=b tunnel.type=ssh tunnel.host=b");
    expect(NULL, NULL, OPTIONS("host=h", "via=", "port="), "host=h user=u");
    (void)setenv("BROKER_USER", "", 1);
    expect("p", NULL, NULL, "inherits=base host=h connect_timeout=1s");
    assert_int_equal(resolve("p", NULL, OPTIONS("connect_timeout="), &p, &e), 0);
    assert_int_equal(profile_number(&p, KEY_port), 3306);
    assert_int_equal(profile_ms(&p, KEY_connect_timeout), 10000);
    assert_string_equal(profile_str(&p, KEY_auth), "client");
    assert_int_equal(p.set[KEY_auth].origin, ORIGIN_DERIVED);
}

static void derived_auth(void **state)
{
    AUTO_PROFILE(with_user);
    AUTO_PROFILE(without);
    AUTO_PROFILE(explicit);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE, three_profiles);
    assert_int_equal(resolve("foreflow", NULL, NULL, &with_user, &e), 0);
    assert_string_equal(profile_str(&with_user, KEY_auth), "keychain");
    assert_string_equal(with_user.set[KEY_auth].from, "user");
    assert_int_equal(resolve("local", NULL, NULL, &without, &e), 0);
    assert_string_equal(profile_str(&without, KEY_auth), "client");
    assert_int_equal(resolve("local", NULL, OPTIONS("auth=none"), &explicit, &e), 0);
    assert_string_equal(profile_str(&explicit, KEY_auth), "none");
}

static void inheritance(void **state)
{
    (void)state;
    write_text(MAIN_FILE, "[profile a]\ninherits = b\nuser = a\n"
                          "[profile b]\ninherits = c\nuser = b\ndatabase = b\n"
                          "[profile c]\nuser = c\ndatabase = c\nhost = c\ntitle = c\n"
                          "[profile d]\nhost = d\n");
    expect("a", NULL, NULL, "title=c inherits=b host=c user=a database=b");
    expect("b", NULL, NULL, "title=c inherits=c host=c user=b database=b");
    expect("a", NULL, OPTIONS("inherits=d"), "inherits=d host=d user=a");
    expect("a", NULL, OPTIONS("inherits="), "user=a");
    expect(NULL, "mysql://x@h/", OPTIONS("inherits=b"), "title=c inherits=b host=h user=x database=b");
}

static void host_against_socket(void **state)
{
    (void)state;
    write_text(MAIN_FILE, "[defaults]\nhost = d\n"
                          "[profile tcp]\nhost = h\n"
                          "[profile unix]\nsocket = /s\n"
                          "[profile child]\ninherits = tcp\nsocket = /c\n"
                          "[profile none]\n"
                          "[profile neither]\nhost =\nsocket =\n");
    expect("tcp", NULL, NULL, "host=h");
    expect("tcp", NULL, OPTIONS("socket=/x"), "socket=/x");
    expect("unix", NULL, NULL, "socket=/s");
    expect("unix", NULL, OPTIONS("host=x"), "host=x");
    expect("child", NULL, NULL, "inherits=tcp socket=/c");
    expect("none", NULL, NULL, "host=d");
    expect("neither", NULL, NULL, "");
    expect("tcp", NULL, OPTIONS("host="), "");
    expect("unix", NULL, OPTIONS("socket="), "host=d");
    (void)setenv("BROKER_SOCKET", "/e", 1);
    expect("none", NULL, NULL, "socket=/e");
    expect("tcp", NULL, NULL, "host=h");
    expect(NULL, "mysql://u@h/", NULL, "host=h user=u");
    expect(NULL, "mysql://u@h/", OPTIONS("socket=/x"), "socket=/x user=u");
    expect(NULL, "mysql://u@/?socket=/y", NULL, "socket=/y user=u");
}

static void tunnels(void **state)
{
    (void)state;
    write_text(MAIN_FILE, "[defaults]\nidentity = /d\nkeepalive = 5s\nvia = b\n"
                          "[tunnel b]\ntype = ssh\nhost = b\nkeepalive = 0\n"
                          "[tunnel c]\ntype = command\ncommand = \"\\\"a b\\\" {local_port}\"\n"
                          "[profile p]\n"
                          "[profile q]\nvia = direct\n"
                          "[profile r]\nvia = c\n");
    expect("p", NULL, NULL, "via=b tunnel.type=ssh tunnel.host=b tunnel.identity=/d tunnel.keepalive=0");
    expect("q", NULL, NULL, "via=direct");
    expect("r", NULL, OPTIONS("tunnel.ready=ok"),
           "via=c tunnel.type=command tunnel.identity=/d tunnel.keepalive=5s tunnel.command=\"a b\" "
           "{local_port} "
           "tunnel.ready=ok");
    expect("p", NULL, OPTIONS("tunnel.identity=", "tunnel.host=x"),
           "via=b tunnel.type=ssh tunnel.host=x tunnel.keepalive=0");
    expect(NULL, "mysql://h/?ssh_host=s&ssh_keyLocation=/k&ssh_keyLocationEnabled=1", NULL,
           "host=h via=ssh://s tunnel.type=ssh tunnel.host=s tunnel.identity=/k tunnel.keepalive=5s");
    expect(NULL, "mysql://h/?ssh_host=s&ssh_keyLocation=/k&ssh_keyLocationEnabled=1", OPTIONS("via=b"),
           "host=h via=b tunnel.type=ssh tunnel.host=b tunnel.identity=/d tunnel.keepalive=0");
}

/* The password for a URL's own tunnel is not used for another tunnel. */
static void url_passwords(void **state)
{
    AUTO_PROFILE(own);
    AUTO_PROFILE(other);
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE, "[tunnel b]\ntype = ssh\nhost = b\n");
    assert_int_equal(resolve(NULL, "mysql://u:p@h/?ssh_host=s&ssh_password=q", NULL, &own, &e), 0);
    assert_non_null(own.password);
    assert_non_null(own.ssh_password);
    assert_int_equal(resolve(NULL, "mysql://u:p@h/?ssh_host=s&ssh_password=q", OPTIONS("via=b"), &other, &e),
                     0);
    assert_non_null(other.password);
    assert_null(other.ssh_password);
}

/* The including file overrides the included one, key by key. */
static void includes(void **state)
{
    AUTO_PROFILE(p);
    AUTO_CONFIG(c);
    AUTO_FREE(char *, team);
    const char *file;
    unsigned line;
    struct err e = ERR_INIT;

    (void)state;
    write_text(MAIN_FILE,
               "[defaults]\ninclude = shared/team\nuser = own\n[profile p]\nhost = own\n[profile q]\n");
    write_text(".config/broker/shared/team",
               "[defaults]\ninclude = base\nuser = team\ntitle = team\nstore = keyring\n"
               "[profile t]\n[profile p]\nhost = team\ndatabase = team\n");
    write_text(".config/broker/shared/base", "[defaults]\nstore = keychain\ntime_zone = base\n[tunnel b]\n");
    expect("p", NULL, NULL, "title=team host=own user=own database=team time_zone=base");
    team = at_home(".config/broker/shared/team");
    assert_int_equal(resolve("p", NULL, NULL, &p, &e), 0);
    assert_string_equal(p.set[KEY_database].from, team);
    assert_int_equal(p.set[KEY_database].line, 9);
    assert_int_equal(config_load(&c, &e), 0);
    assert_string_equal(config_file_key(c, FILE_store), "keyring");
    assert_string_equal(config_file_key(c, FILE_color), "auto");
    const char *const *names = config_profile_names(c);
    assert_string_equal(names[0], "p");
    assert_string_equal(names[1], "q");
    assert_string_equal(names[2], "t");
    assert_null(names[3]);
    assert_string_equal(config_tunnel_names(c)[0], "b");
    assert_null(config_tunnel_names(c)[1]);
    assert_true(config_profile_place(c, "t", &file, &line));
    assert_string_equal(file, team);
    assert_int_equal(line, 6);
    assert_false(config_profile_place(c, "b", &file, &line));
}

static void include_paths(void **state)
{
    AUTO_FREE(char *, absolute);
    AUTO_FREE(char *, text);

    (void)state;
    write_text("team", "[profile p]\nhost = team\n");
    write_text(MAIN_FILE, "[defaults]\ninclude = ~/team\n");
    expect("p", NULL, NULL, "host=team");
    absolute = at_home("team");
    text = mem_printf("[defaults]\ninclude = %s\n", absolute);
    write_text(MAIN_FILE, text);
    expect("p", NULL, NULL, "host=team");
    write_text(MAIN_FILE, "[defaults]\ninclude =\n[profile p]\nhost = own\n");
    expect("p", NULL, NULL, "host=own");
}

static void which_file(void **state)
{
    AUTO_CONFIG(c);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, folder);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(config_load(&c, &e), 0);
    path = at_home(MAIN_FILE);
    assert_string_equal(config_user_file(c), path);
    assert_null(config_profile_names(c)[0]);
    write_text("xdg/broker/config", "[profile p]\nhost = xdg\n");
    write_text(MAIN_FILE, "[profile p]\nhost = home\n");
    expect("p", NULL, NULL, "host=home");
    folder = at_home("xdg");
    (void)setenv("XDG_CONFIG_HOME", folder, 1);
    expect("p", NULL, NULL, "host=xdg");
    (void)setenv("BROKER_CONFIG", "~/" MAIN_FILE, 1);
    expect("p", NULL, NULL, "host=home");
    (void)setenv("BROKER_CONFIG", "", 1);
    expect("p", NULL, NULL, "host=xdg");
    assert_int_equal(chdir(home), 0);
    (void)setenv("BROKER_CONFIG", MAIN_FILE, 1);
    expect("p", NULL, NULL, "host=home");
    assert_int_equal(chdir("/"), 0);
    (void)setenv("BROKER_CONFIG", "/dev/null", 1);
    expect(NULL, NULL, OPTIONS("host=h"), "host=h");
}

/* A file that BROKER_CONFIG names must exist, except for `profile add`, which creates it. */
static void missing_file(void **state)
{
    AUTO_CONFIG(c);
    AUTO_PROFILE(p);
    const struct override o = {"host", "h", NULL};
    struct err e = ERR_INIT;

    (void)state;
    (void)setenv("BROKER_CONFIG", "~/none", 1);
    assert_int_equal(resolve(NULL, NULL, OPTIONS("host=h"), &p, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.what, "~/none");
    assert_string_equal(e.msg, "no such file");
    assert_string_equal(e.hint, "BROKER_CONFIG names it: unset that, or broker profile add NAME");
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_add_profile("p", &o, 1, &e), 0);
    expect("p", NULL, NULL, "host=h");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_home, drop_home)
        TEST(origins_of_values),
        TEST(inline_tunnels),
        TEST(layers),
        TEST(empty_unsets),
        TEST(derived_auth),
        TEST(inheritance),
        TEST(host_against_socket),
        TEST(tunnels),
        TEST(url_passwords),
        TEST(includes),
        TEST(include_paths),
        TEST(which_file),
        TEST(missing_file),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
