/* SPDX-License-Identifier: MIT */
/*
 * URLs: known results for Sequel Ace's dialect and for the rest of docs/config.md, "URLs"; and that no error
 * message quotes a password.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/buf.h>
#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>
#include <model/url.h>
#include <model/url_parts.h>

/* Appends the settings of a profile as `key=value`, those of the tunnel as `tunnel.key=value`, then the
 * passwords. */
static void describe(const struct profile *p, struct buf *out)
{
    for (size_t k = 0; k < KEY_COUNT; k++)
        if (p->set[k].value)
            buf_printf(out, "%s%s=%s", out->len ? " " : "", key_infos[k].name, p->set[k].value);
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (p->tunnel[k].value)
            buf_printf(out, " tunnel.%s=%s", tunnel_key_infos[k].name, p->tunnel[k].value);
    if (p->password)
        buf_printf(out, " password=<%s>", secret_bytes(p->password));
    if (p->ssh_password)
        buf_printf(out, " ssh_password=<%s>", secret_bytes(p->ssh_password));
}

struct url_case {
    const char *url, *settings;
};

static const struct url_case accepted[] = {
    /* Sequel Ace's dialect */
    {"mysql://db_user@db.example.com:3306/"
     "my_database?type=aws_iam&aws_profile=production&aws_region=us-east-1",
     "host=db.example.com port=3306 user=db_user database=my_database auth=iam aws_profile=production "
     "region=us-east-1"},
    {"mysql://db_user@db.example.com/my_database?aws_profile=default&aws_region=us-west-2",
     "host=db.example.com user=db_user database=my_database auth=iam aws_profile=default region=us-west-2"},
    {"mysql://db_user@db.example.com:3306/my_database?type=aws_iam",
     "host=db.example.com port=3306 user=db_user database=my_database auth=iam"},
    {"mysql://db_user:db_password@/my_database",
     "host=127.0.0.1 user=db_user database=my_database password=<db_password>"},
    {"mysql://db_user@db.example.com:3306/my_database",
     "host=db.example.com port=3306 user=db_user database=my_database"},
    {"mysql://db_user:@db.example.com:3306/my_database",
     "host=db.example.com port=3306 user=db_user database=my_database password=<>"},
    {"mysql://root@localhost/my_database?type=socket&socket=%2Ftmp%2Fmysql.sock",
     "socket=/tmp/mysql.sock user=root database=my_database"},
    {"mysql://db_user@localhost/my_database?socket=%2Ftmp%2Fmysql.sock&ssh_host=ssh.example.com",
     "socket=/tmp/mysql.sock user=db_user database=my_database"},
    {"mysql://u@db.example.com/d?type=aws_iam&aws_profile=default%2525profile",
     "host=db.example.com user=u database=d auth=iam aws_profile=default%25profile"},
    {"mysql://db_user:db_password@127.0.0.1:3306/"
     "my_database?ssh_host=ssh.example.com&ssh_port=22&ssh_user=ssh_user",
     "host=127.0.0.1 port=3306 user=db_user database=my_database via=ssh://ssh_user@ssh.example.com:22 "
     "tunnel.type=ssh "
     "tunnel.host=ssh.example.com tunnel.port=22 tunnel.user=ssh_user password=<db_password>"},
    {"mysql://u@h/d?type=tcpip&ssh_host=ssh.example.com&aws_profile=production",
     "host=h user=u database=d aws_profile=production"},
    {"mysql://u@h/d?enable_cleartext_plugin=1", "host=h user=u database=d cleartext=yes"},
    {"mysql://u@h/d?enable_cleartext_plugin=true", "host=h user=u database=d cleartext=yes"},
    {"mysql://u@h/d?enable_cleartext_plugin=0", "host=h user=u database=d cleartext=no"},
    {"mysql://u@h/d?enable_cleartext_plugin=banana", "host=h user=u database=d cleartext=no"},
    {"mysql://u@h/d?get_server_public_key=1", "host=h user=u database=d server_public_key=yes"},
    {"mysql://u@h/d?request_server_public_key=true", "host=h user=u database=d server_public_key=yes"},
    {"mysql://dbuser@127.0.0.1?ssh_remote_socket_path=%2Fvar%2Frun%2Fmysqld%2Fmysqld.sock",
     "socket=/var/run/mysqld/mysqld.sock user=dbuser"},
    {"mysql://user%40domain:p%40ss%20word%21@h/my%20database",
     "host=h user=user@domain database=my database password=<p@ss word!>"},
    {"mysql://?type=socket&socket=/tmp/mysql.sock", "socket=/tmp/mysql.sock"},
    {"mysql://h/?ssh_host=s&ssh_port=%202222%20",
     "host=h via=ssh://s:2222 tunnel.type=ssh tunnel.host=s tunnel.port=2222"},
    {"mysql://h/?ssh_host=s&ssh_port=", "host=h via=ssh://s tunnel.type=ssh tunnel.host=s"},
    {"mysql://h/?ssh_host=s&ssh_port=%20%20", "host=h via=ssh://s tunnel.type=ssh tunnel.host=s"},
    {"mysql://h/?ssh_host=s&ssh_port=65535",
     "host=h via=ssh://s:65535 tunnel.type=ssh tunnel.host=s tunnel.port=65535"},
    /* the rest of the dialect */
    {"mysql://", "host=127.0.0.1"},
    {"MySQL://h", "host=h"},
    {"mysql://h/d/more/", "host=h database=d"},
    {"mysql://[::1]:3307/d", "host=::1 port=3307 database=d"},
    {"mysql://u@[fe80::1%25eth0]", "host=fe80::1%eth0 user=u"},
    {"mysql://h:/", "host=h"},
    {"mysql://u:a:b@c@h/", "host=h user=u password=<a:b@c>"},
    {"mysql://:pw@h/", "host=h password=<pw>"},
    {"mysql://u@h/?a_dd=", NULL},
    {"mysql://u@h/d%2Fe?", "host=h user=u database=d/e"},
    {"mysql://u@h/?title=a+b%26c", "title=a+b&c host=h user=u"},
    {"mysql://h/?&&autoConnect=1&", "host=h"},
    {"mysql://h/?type=TCP&socket=/x", "host=h"},
    {"mysql://h/?type=socket", "socket=auto"},
    {"mysql://h/?type=vault&auth=prompt", "host=h auth=prompt"},
    {"mysql://h/?type=aws_iam&auth=prompt", "host=h auth=prompt"},
    {"mysql://h/?tls=required&tls=disabled", "host=h tls=disabled"},
    {"mysql://h/?tls=required&tls=", "host=h"},
    {"mysql://h/?host=other&port=3307", "host=other port=3307"},
    {"mysql://h/?server-public-key=on", "host=h server_public_key=yes"},
    {"mysql://h/?via=bastion&type=ssh", "host=h via=bastion"},
    {"mysql://u@h/?via=bastion&socket=/x", NULL},
    {"mysql://u@/?via=bastion&socket=/x", "socket=/x user=u via=bastion"},
    {"mysql://h/?aws_profile=p&ssh_host=b",
     "host=h auth=iam via=ssh://b aws_profile=p tunnel.type=ssh tunnel.host=b"},
    {"mysql://h/?ssh_host=b&ssh_keyLocation=/k&ssh_keyLocationEnabled=1",
     "host=h via=ssh://b tunnel.type=ssh tunnel.host=b tunnel.identity=/k"},
    {"mysql://h/?ssh_host=b&ssh_keyLocation=/k&ssh_keyLocationEnabled=0",
     "host=h via=ssh://b tunnel.type=ssh tunnel.host=b"},
    {"mysql://h/?ssh_host=b&ssh_keyLocation=/k", "host=h via=ssh://b tunnel.type=ssh tunnel.host=b"},
    {"mysql://h/?ssh_host=::1&ssh_port=22",
     "host=h via=ssh://[::1]:22 tunnel.type=ssh tunnel.host=::1 tunnel.port=22"},
    {"mysql://u@h/?ssh_host=b&ssh_remote_socket_path=/s",
     "socket=/s user=u via=ssh://b tunnel.type=ssh tunnel.host=b"},
    {"mysql://h/?ssh_host=b&ssh_password=a%26b",
     "host=h via=ssh://b tunnel.type=ssh tunnel.host=b ssh_password=<a&b>"},
    {"mysql://h/?type=tcp&ssh_host=b&ssh_password=x", "host=h"},
    {"mysql://h/?ssh_host=b&ssh_keyLocation=/k&ssh_keyLocationEnabled=a",
     "host=h via=ssh://b tunnel.type=ssh tunnel.host=b"},
    {"mysql+x://h/", "host=h"},
    {"mysql:///.sock/d", "socket=/.sock database=d"},
    {"mysql://u@%2Ftmp%2Fs/d?type=socket", "socket=/tmp/s user=u database=d"},
    {"mysql://u@unix(/tmp/a:1)/d", "socket=/tmp/a:1 user=u database=d"},
    {"mysql://u@unix(%2ftmp%2Fa:1)/d", "socket=/tmp/a:1 user=u database=d"},
};

static void accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        const struct url_case *c = &accepted[i];
        AUTO_PROFILE(p);
        AUTO_BUF(out, 65536);
        struct err e = ERR_INIT;
        if (url_parse(c->url, &p, &e) < 0) {
            if (c->settings)
                fail_msg("%s: %s", c->url, e.msg);
            continue;
        }
        if (!c->settings)
            fail_msg("%s: accepted", c->url);
        describe(&p, &out);
        assert_string_equal(buf_str(&out), c->settings);
        for (size_t k = 0; k < KEY_COUNT; k++) {
            assert_true(p.set[k].origin == ORIGIN_UNSET || p.set[k].origin == ORIGIN_URL);
            assert_int_equal(p.set[k].line, 0);
        }
        for (size_t k = 0; k < TUNNEL_COUNT; k++)
            assert_int_equal(p.tunnel[k].line, 0);
        assert_true(p.is_of_url);
    }
}

struct refusal {
    const char *url, *msg, *hint;
};

static const char general[] = "broker help urls";
static const char encode[] =
    "percent-encode special characters of the password: %2F is /, %3A is :, %40 is @";
static const char form[] = "mysql://[USER@]HOST[:PORT]/[DATABASE]";

static const struct refusal refused[] = {
    {"mysql://h/?type=vault", "auth = vault: its secret is not for this server only",
     "-o auth=vault, or a profile"},
    {"mysql://h/?auth=command&auth_command=x", "auth = command: its secret is not for this server only",
     "-o auth=command, or a profile"},
    {"mysql://h/?auth_command=x", "auth_command: a URL cannot run a program",
     "-o auth_command=VALUE, or a profile"},
    {"mysql://h/?my-cnf=off", "my_cnf: a URL cannot open files or ports of this machine",
     "-o my_cnf=VALUE, or a profile"},
    {"mysql://h/?vault_addr=https://v", "vault_addr: a URL cannot choose what this machine sends",
     "-o vault_addr=VALUE, or a profile"},
    {"mysql://h/?inherits=prod", "inherits: a URL cannot use what belongs to another server",
     "-o inherits=VALUE, or a profile"},
    {"mysql://h/-x", "database: begins with '-', so a program would take it for an option",
     "-o database=VALUE, or a profile"},
    {"mysql://h/?colour=red", "unknown parameter 'colour'", general},
    {"mysql://root:s3cret@127.0.0.1:3306/my_database?type=banana", "unknown type",
     "type is one of: tcp socket ssh aws_iam"},
    {"mysql://h/?type=", "unknown type", "type is one of: tcp socket ssh aws_iam"},
    {"mysql://h/?type=%20tcp", "unknown type", "type is one of: tcp socket ssh aws_iam"},
    {"mysql://h/?type=ssh", "type=ssh without ssh_host", "add ssh_host=HOST"},
    {"mysql://h/?ssh_host=b&ssh_port=0", "ssh_port is not a number from 1 to 65535", general},
    {"mysql://h/?ssh_host=b&ssh_port=-1", "ssh_port is not a number from 1 to 65535", general},
    {"mysql://h/?ssh_host=b&ssh_port=65536", "ssh_port is not a number from 1 to 65535", general},
    {"mysql://h/?ssh_host=b&ssh_port=not-a-port", "ssh_port is not a number from 1 to 65535", general},
    {"mysql://h/?ssh_host=b&ssh_port=2%202", "ssh_port is not a number from 1 to 65535", general},
    {"mysql://u@h/?ssh_host=b&ssh_remote_socket_path=a%0Ab", "socket: contains a control character",
     "a value is one line of UTF-8, at most 8000 bytes"},
    {"mysql://h/?ssh_host=-oProxyCommand=x", "via: not HOST or HOST:PORT",
     "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct"},
    {"mysql://h/?ssh_host=b&ssh_user=u:s3cret", "via: a tunnel's address cannot have a password",
     "ssh://USER@HOST, then: broker password set --tunnel NAME"},
    {"mysql://db.example.com/?socket=/x", "host and socket contradict each other",
     "keep the host for TCP, or socket for a server on this machine"},
    {"mysql://h/?password=s3cret",
     "'password' is not a parameter: put the password before the host, USER:PASSWORD@HOST", general},
    {"mysql://h/?tls=requird", "tls: unknown value 'requird'", "did you mean 'required'?"},
    {"mysql://h/?port=0", "port: '0' is not a number from 1 to 65535", "for example: port = 3306"},
    {"mysql://h/?tunnel.host=x", "unknown parameter 'tunnel.host'", general},
    {"mysql://h/?include=x", "unknown parameter 'include'", general},
    {"mysql://h/?Type=tcp", "unknown parameter 'Type'", general},
    {"mysql://h/?s3cret@x", "unknown parameter", general},
    {"mysql+ssh://b%/u@h/d", "bad percent-encoding in the bastion", "write a literal % as %25"},
    {"mysql://h/?ssh_password=s3cret%", "bad percent-encoding in the ssh_password",
     "write a literal % as %25"},
    {"jdbc:mysql://h/?password=s3cret%", "bad percent-encoding in the password", "write a literal % as %25"},
    {"mysql://h/?password=s3cret%",
     "'password' is not a parameter: put the password before the host, USER:PASSWORD@HOST", general},
    {"prod", "no '://' in it", form},
    {"mysql://[%3A%3A1x/", "the host is not a valid name", encode},
    {"mysql://x%3A%3A1]/", "the host is not a valid name", encode},
    {"mysql://h:1]:2/", "the port is not a number from 1 to 65535", encode},
    {"mysql://u@unix(/a%)/d", "bad percent-encoding in the socket's path", "write a literal % as %25"},
    {"mysql+!x://h/", "it does not start with mysql://", form},
    {"mysql://h/?ssl-mod-=required", "unknown parameter 'ssl-mod-'", general},
    {"mysql://h1,h2/", "more than one host", "give one of them"},
    {"jdbc:mysql://h1:3306,h2:3306/", "more than one host", "give one of them"},
    {"jdbc:mysql://h1:3306,h2/", "more than one host", "give one of them"},
    {"mysql://h:0/", "the port is not a number from 1 to 65535", encode},
    {"mysql://h:65536/", "the port is not a number from 1 to 65535", encode},
    {"mysql://u:s3cret/x@h/d", "'@' after the host", encode},
    {"mysql://u:s3cret?x@h/d", "the port is not a number from 1 to 65535", encode},
    {"mysql://u:s3cret#x@h/d", "a '#' that is not percent-encoded", "write it as %23"},
    {"mysql://u:12/s3cret@h/d", "'@' after the host", encode},
    {"mysql://u:p@s3cret/x@h/d", "'@' after the host", encode},
    {"mysql://h/d#frag", "a '#' that is not percent-encoded", "write it as %23"},
    {"mysql://u:s3cret%@h/", "bad percent-encoding in the password", "write a literal % as %25"},
    {"mysql://u:s3cret%00@h/", "bad percent-encoding in the password", "write a literal % as %25"},
    {"mysql://u%zz@h/", "bad percent-encoding in the user", "write a literal % as %25"},
    {"mysql://h/d%", "bad percent-encoding in the database", "write a literal % as %25"},
    {"mysql://h/?title=%2", "bad percent-encoding in the parameters", "write a literal % as %25"},
    {"mysql://h%2Fx/", "the host is not a valid name", encode},
    {"mysql://a b/", "the host is not a valid name", encode},
    {"mysql://::1/", "the port is not a number from 1 to 65535", encode},
    {"mysql://[::1/", "the port is not a number from 1 to 65535", encode},
    {"mysql://[h]/", "the host is not a valid name", encode},
    {"mysql://u%0A@h/", "user: contains a control character",
     "a value is one line of UTF-8, at most 8000 bytes"},
    {"postgres://h/d", "it does not start with mysql://", form},
    {"app:s3cret@mysql://h/d", "it does not start with mysql://", form},
    {"://", "it does not start with mysql://", form},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const struct refusal *c = &refused[i];
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;
        if (url_parse(c->url, &p, &e) == 0)
            fail_msg("%s: accepted", c->url);
        assert_int_equal(e.code, ERR_DATA);
        assert_string_equal(e.what, "URL");
        if (!c->msg)
            continue;
        assert_string_equal(e.msg, c->msg);
        assert_string_equal(e.hint, c->hint);
        assert_null(strstr(e.msg, "s3cret"));
        assert_null(strstr(e.hint, "s3cret"));
    }
}

static void too_long(void **state)
{
    AUTO_BUF(url, 400000);
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    (void)state;
    buf_puts(&url, "mysql://u:");
    while (url.len < 300000)
        buf_putc(&url, 'x');
    buf_puts(&url, "@h/");
    assert_int_equal(url_parse(buf_str(&url), &p, &e), -1);
    assert_string_equal(e.msg, "too long");
}

static void longest_url(void **state)
{
    AUTO_BUF(url, 2 * URL_MOST);

    (void)state;
    buf_puts(&url, "mysql://h/?");
    while (url.len < URL_MOST)
        buf_putc(&url, '&');
    for (int over = 0; over < 2; over++) {
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;

        assert_int_equal(url_parse(buf_str(&url), &p, &e), over ? -1 : 0);
        buf_putc(&url, '&');
    }
}

static void longest_password(void **state)
{
    (void)state;
    for (size_t n = SECRET_MAX; n <= SECRET_MAX + 1; n++) {
        AUTO_BUF(url, 400000);
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;
        buf_puts(&url, "mysql://u:");
        for (size_t i = 0; i < n; i++)
            buf_puts(&url, "%20");
        buf_puts(&url, "@h/");
        assert_int_equal(url_parse(buf_str(&url), &p, &e), n <= SECRET_MAX ? 0 : -1);
        if (n <= SECRET_MAX)
            assert_int_equal(secret_len(p.password), n);
        else
            assert_string_equal(e.msg, "password too long");
    }
}

/* A setting that already has a stronger origin stays, and what contradicts it is unset. */
static void flags_take_precedence(void **state)
{
    AUTO_PROFILE(p);
    AUTO_BUF(out, 65536);
    struct err e = ERR_INIT;

    (void)state;
    (void)setting_put(&p.set[KEY_host], "flag", ORIGIN_FLAG, "--host", 0);
    (void)setting_put(&p.set[KEY_via], NULL, ORIGIN_FLAG, "--via", 0);
    assert_int_equal(url_parse("mysql://u@h:3307/?ssh_host=b", &p, &e), 0);
    describe(&p, &out);
    assert_string_equal(buf_str(&out), "host=flag port=3307 user=u");
}

static void only_a_short_name_is_quoted(void **state)
{
    (void)state;
    for (int n = 64; n <= 65; n++) {
        AUTO_FREE(char *, url);
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;

        url = mem_printf("mysql://h/?%0*d=x", n, 0);
        assert_int_equal(url_parse(url, &p, &e), -1);
        assert_int_equal(strlen(e.msg),
                         n == 64 ? strlen("unknown parameter ''") + 64 : strlen("unknown parameter"));
    }
}

/* What is missing in the URL stays unset, so that a profile or a flag can still set it. Only the host gets a
 * default. */
static void missing_parts_stay_unset(void **state)
{
    static const char *const urls[] = {"mysql://", "mysql://:pw@/", "mysql://@/", "mysql:///", "mysql://:/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;

        assert_int_equal(url_parse(urls[i], &p, &e), 0);
        for (size_t k = 0; k < KEY_COUNT; k++)
            assert_int_equal(p.set[k].origin, k == KEY_host ? ORIGIN_URL : ORIGIN_UNSET);
    }
}

/* A host from a flag does not contradict a socket in the URL. */
static void a_host_from_a_flag_does_not_contradict_a_socket(void **state)
{
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    (void)state;
    (void)setting_put(&p.set[KEY_host], "flag", ORIGIN_FLAG, "--host", 0);
    assert_int_equal(url_parse("mysql://u@/?socket=/x", &p, &e), 0);
    assert_string_equal(p.set[KEY_socket].value, "/x");
}

static void masks(void **state)
{
    static const struct {
        const char *url, *masked; /* the same text if there is no password */
    } cases[] = {
        {"mysql://u:s3cret@h/d", "mysql://u:******@h/d"},
        {"mysql://u@h:3306/d?x=y", "mysql://u@h:3306/d?x=y"},
        {"mysql://u:@h/d", "mysql://u:@h/d"},
        {"mysql://u:a@b:c@h/d", "mysql://u:*****@h/d"},
        {"mysql://h/?ssh_password=s3cret&tls=required", "mysql://h/?ssh_password=******&tls=required"},
        {"mysql://u:ab@h/?password=cd", "mysql://u:**@h/?password=**"},
        {"mysql://u:s3/cret@h/d", "mysql://u:*******@h/d"},
        {"mysql://u:s3?cret@h/d", "mysql://u:*******@h/d"},
        {"mysql://u:s3#cret@h/d", "mysql://u:*******@h/d"},
        {"mysql://u:12/cret@h/d", "mysql://u:*******@h/d"},
        {"mysql://u:p@s3/cret@h/d", "mysql://u:*********@h/d"},
        {"mysql://h:3306/d?user=a@b", "mysql://h:3306/d?user=a@b"},
        {"mysql://h:3190/d?user=a@b", "mysql://h:3190/d?user=a@b"},
        {"prod", "prod"},
        {"u:s3cret@h/d", "u:******@h/d"},
        {"mysql:/u:s3@cret@h", "mysql:**********@h"},
        {"a@b:c", "a@b:c"},
        {"u:s3cret", "u:******"},
        {"db.example.com:3306", "db.example.com:3306"},
        {"::1:x", "::1:x"},
        {"u:", "u:"},
        {"a:@b", "a:@b"},
        {"mysql://", "mysql://"},
        {"mysql://u:p@h", "mysql://u:*@h"},
        {"u:p@h", "u:*@h"},
        {"u:1x", "u:**"},
        {"u::", "u::"},
        {"fe80::1", "fe80::1"},
        {"mysql://h/a@b", "mysql://h/a@b"},
        {"a+ssh://h/u:p@d", "a+ssh://h/u:*@d"},
        {"+ssh://h/u:p@d", "+ssh://h/u:*@d"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE(char *, url);
        url = mem_strdup(cases[i].url);
        if (url_has_password(url) != (strcmp(cases[i].url, cases[i].masked) != 0))
            fail_msg("%s", url);
        url_mask(url);
        assert_string_equal(url, cases[i].masked);
    }
}

static void recognises(void **state)
{
    (void)state;
    assert_true(url_is("mysql://h"));
    assert_true(url_is("x://"));
    assert_false(url_is("prod"));
    assert_false(url_is("a:/b"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(too_long),
        cmocka_unit_test(longest_url),
        cmocka_unit_test(longest_password),
        cmocka_unit_test(flags_take_precedence),
        cmocka_unit_test(masks),
        cmocka_unit_test(recognises),
        cmocka_unit_test(missing_parts_stay_unset),
        cmocka_unit_test(only_a_short_name_is_quoted),
        cmocka_unit_test(a_host_from_a_flag_does_not_contradict_a_socket),
    };

    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
