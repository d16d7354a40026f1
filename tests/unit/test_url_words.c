/* SPDX-License-Identifier: MIT */
/*
 * URLs of hosting companies and other programs: drivers, TablePlus, mycli, go-sql-driver, JDBC (facts from
 * import.md); and that each URL that broker writes is read back with the same values.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <base/buf.h>
#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>
#include <model/url.h>
#include <output/format.h>

static void describe(const struct profile *p, struct buf *out)
{
    for (size_t k = 0; k < KEY_COUNT; k++)
        if (p->set[k].value)
            buf_printf(out, "%s%s=%s", out->len ? " " : "", key_infos[k].name, p->set[k].value);
    if (p->password)
        buf_printf(out, " password=<%s>", secret_bytes(p->password));
    if (p->ssh_password)
        buf_printf(out, " ssh_password=<%s>", secret_bytes(p->ssh_password));
}

/* settings: the result; msg: the error, if the URL is refused. */
static const struct url_case {
    const char *url, *settings, *msg;
} cases[] = {
    /* hosting companies and their frameworks */
    {"mysql://doadmin:AVNS_x@db-mysql-nyc3-1-do-user-1-0.b.db.ondigitalocean.com:25060/"
     "defaultdb?ssl-mode=REQUIRED",
     "host=db-mysql-nyc3-1-do-user-1-0.b.db.ondigitalocean.com port=25060 user=doadmin database=defaultdb "
     "tls=required password=<AVNS_x>",
     NULL},
    {"mysql://avnadmin:AVNS_x@m-1.a.aivencloud.com:12691/defaultdb?ssl-mode=REQUIRED",
     "host=m-1.a.aivencloud.com port=12691 user=avnadmin database=defaultdb tls=required password=<AVNS_x>",
     NULL},
    {"mysql://u:p@aws.connect.psdb.cloud/db?ssl={\"rejectUnauthorized\":true}",
     "host=aws.connect.psdb.cloud user=u database=db tls=verify-identity password=<p>", NULL},
    {"mysql://u:p@h/db?sslaccept=strict", "host=h user=u database=db tls=verify-identity password=<p>", NULL},
    {"mysql://u:p@h/db?connection_limit=5&statement_cache_size=0&sslcert=/ca.pem&sslaccept=strict",
     "host=h user=u database=db tls=verify-identity tls_ca=/ca.pem password=<p>", NULL},
    {"mysql://u:p@h/db?sslaccept=strict&sslcert=",
     "host=h user=u database=db tls=verify-identity password=<p>", NULL},
    {"mysql://u:p@h/db?sslaccept=accept_invalid_certs&sslcert=/c&sslkey=/k",
     "host=h user=u database=db tls_cert=/c tls_key=/k password=<p>", NULL},
    {"trilogy://u:p@h/db?pool=5", "host=h user=u database=db password=<p>", NULL},
    {"mysql://u:p@eu-cdbr-west.cleardb.net/heroku_1?reconnect=true",
     "host=eu-cdbr-west.cleardb.net user=u database=heroku_1 password=<p>", NULL},
    {"mysql://u:p@h/db?serverVersion=8.0.32&charset=utf8mb4", "host=h user=u database=db password=<p>", NULL},
    {"mysql2://u:p@h/db?encoding=utf8mb4&pool=5&reconnect=true&timeout=5000&sslca=/ca.pem&sslverify=true",
     "host=h user=u database=db tls=verify-ca tls_ca=/ca.pem password=<p>", NULL},
    {"mysql+pymysql://u:p@h/db?charset=utf8mb4&ssl_ca=/ca.pem&ssl_verify_cert=true&ssl_verify_identity=true",
     "host=h user=u database=db tls=verify-identity tls_ca=/ca.pem password=<p>", NULL},
    {"mariadb+mariadbconnector://u@h/d", "host=h user=u database=d", NULL},
    {"mariadb://u@h/d", "host=h user=u database=d", NULL},
    /* other programs' names of the TLS levels */
    {"mysql://u@h/?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem&ssl-cert=/c&ssl-key=/k&ssl-cipher=X",
     "host=h user=u tls=verify-identity tls_ca=/ca.pem tls_cert=/c tls_key=/k tls_ciphers=X", NULL},
    {"mysql://u@h/?ssl_mode=on", "host=h user=u tls=required", NULL},
    {"mysql://u@h/?ssl_mode=off", "host=h user=u tls=disabled", NULL},
    {"mysql://u@h/?ssl_mode=auto", "host=h user=u tls=preferred", NULL},
    {"mysql://u@h/?ssl_mode=on&ssl_ca=/ca.pem&ssl_verify_server_cert=true",
     "host=h user=u tls=verify-identity tls_ca=/ca.pem", NULL},
    {"mysql://u@h/?sslmode=verify-full", "host=h user=u tls=verify-identity", NULL},
    {"mysql://u@h/?sslmode=disable", "host=h user=u tls=disabled", NULL},
    {"mysql://u@h/?sslMode=VERIFY_CA", "host=h user=u tls=verify-ca", NULL},
    {"mysql://u@h/?sslMode=trust", "host=h user=u tls=required", NULL},
    {"mysql://u@h/?tls=true", "host=h user=u tls=verify-identity", NULL},
    {"mysql://u@h/?tls=skip-verify", "host=h user=u tls=required", NULL},
    {"mysql://u@h/?tls=preferred", "host=h user=u tls=preferred", NULL},
    {"mysql://u@h/?tls=false", "host=h user=u tls=disabled", NULL},
    {"mysql://u@h/?tls=custom", NULL, "tls: unknown value 'custom'"},
    {"mysql://u@h/?ssl-mode=SOMETIMES", NULL, "tls: unknown value 'SOMETIMES'"},
    {"mysql://u@h/?ssl=custom", NULL, "unknown TLS value"},
    {"mysql://u@h/?useSSL=true&requireSSL=true", "host=h user=u tls=required", NULL},
    {"mysql://u@h/?verifyServerCertificate=true&requireSSL=true", "host=h user=u tls=verify-ca", NULL},
    {"mysql://u@h/?requireSSL=true&sslMode=VERIFY_IDENTITY", "host=h user=u tls=verify-identity", NULL},
    {"mysql://u@h/?useSSL=false&requireSSL=false&verifyServerCertificate=false", "host=h user=u", NULL},
    {"mysql://u@h/?ssl=true", "host=h user=u tls=required", NULL},
    {"mysql://u@h/?ssl=false", "host=h user=u", NULL},
    {"mysql://u@h/?ssl_disabled=true", "host=h user=u tls=disabled", NULL},
    /* TablePlus */
    {"mysql://app:s%40cret@db.internal:3306/"
     "shop?statusColor=686B6F&env=local&name=live%20shop&tLSMode=2&usePrivateKey=false"
     "&safeModeLevel=0&advancedSafeModeLevel=0&driverVersion=0&lazyload=false",
     "title=live shop host=db.internal port=3306 user=app database=shop tls=required password=<s@cret>",
     NULL},
    {"mysql://app@h/d?statusColor=x&enviroment=production&tLSMode=0",
     "host=h user=app database=d tls=preferred", NULL},
    {"mysql://app@h/d?tLSMode=1", "host=h user=app database=d tls=disabled", NULL},
    {"mysql://app@h/d?tLSMode=4", NULL, "tls: unknown value '4'"},
    {"mysql+ssh://me@bastion.example.com:2222/app:pw@127.0.0.1:3307/shop?statusColor=x",
     "host=127.0.0.1 port=3307 user=app database=shop via=ssh://me@bastion.example.com:2222 password=<pw>",
     NULL},
    {"mysql+ssh://me:sshpw@bastion/app:p/w@x@db/shop",
     "host=db user=app database=shop via=ssh://me@bastion password=<p/w@x> ssh_password=<sshpw>", NULL},
    {"mysql+ssh://bastion/app@db", "host=db user=app via=ssh://bastion", NULL},
    {"mariadb+ssh://me@b/u@[::1]:1/d", "host=::1 port=1 user=u database=d via=ssh://me@b", NULL},
    {"mysql+ssh://me@b", "host=127.0.0.1 via=ssh://me@b", NULL},
    {"mysql+ssh:///u@h/d", NULL, "type=ssh without ssh_host"},
    {"mysql+ssh://-oProxyCommand=x@b/u@h/d", NULL, "via: not a user name"},
    /* mycli */
    {"mysql://app@db.internal/"
     "shop?ssh_jump=me@bastion.example.com&character_set=utf8mb4&keepalive_ticks=10&prompt=x",
     "host=db.internal user=app database=shop via=ssh://me@bastion.example.com", NULL},
    {"mysql://app@h/?ssh_jump=me:pw@b", NULL, "via: a tunnel's address cannot have a password"},
    {"mysql://app@h/?vault_address=https://v", NULL, "unknown parameter 'vault_address'"},
    /* go-sql-driver, dburl */
    {"mysql://app@h/"
     "d?parseTime=true&loc=Local&collation=utf8mb4_general_ci&multiStatements=true&interpolateParams=true"
     "&timeout=5s&readTimeout=30s&maxAllowedPacket=0&allowNativePasswords=true&allowCleartextPasswords=1&"
     "compress=true",
     "host=h user=app database=d cleartext=yes compress=yes", NULL},
    {"mysql://app@h/d?allowAllFiles=true", NULL,
     "local_infile: a URL cannot open files or ports of this machine"},
    {"mysql://app@h/d?allowAllFiles=false", "host=h user=app database=d", NULL},
    /* JDBC */
    {"jdbc:mysql://h:3307/"
     "db?user=app&password=a%26b&useSSL=false&serverTimezone=UTC&allowPublicKeyRetrieval=true"
     "&useUnicode=true&characterEncoding=UTF-8&autoReconnect=true&rewriteBatchedStatements=true&"
     "connectTimeout=5000",
     "host=h port=3307 user=app database=db server_public_key=yes connect_timeout=5000ms password=<a&b>",
     NULL},
    {"jdbc:mariadb://h/db?user=app&sslMode=verify-full&connectTimeout=0",
     "host=h user=app database=db tls=verify-identity", NULL},
    {"JDBC:MySQL://h/", "host=h", NULL},
    {"jdbc:mysql://h/?connectTimeout=soon", NULL, "connectTimeout is not a number of milliseconds"},
    {"jdbc:mysql://h1,h2:3306/db", NULL, "more than one host"},
    {"jdbc:mysql://h/?allowLoadLocalInfile=true", NULL,
     "local_infile: a URL cannot open files or ports of this machine"},
    {"jdbc:mysql://h/?trustCertificateKeyStorePassword=x", NULL,
     "'trustCertificateKeyStorePassword' is not a parameter: put the password before the host, "
     "USER:PASSWORD@HOST"},
    {"mysql://h/?password=x", NULL,
     "'password' is not a parameter: put the password before the host, USER:PASSWORD@HOST"},
    /* sockets */
    {"mysql://u@localhost/d?unix_socket=/s", "socket=/s user=u database=d", NULL},
    {"mysql://u@localhost:3306/d?socketPath=/s", "port=3306 socket=/s user=u database=d", NULL},
    {"mysql://u@127.0.0.1:33060/d?socket=/s", "port=33060 socket=/s user=u database=d", NULL},
    /* dburl, go-sql-driver, golang-migrate, mysqlsh: addresses in parentheses, and sockets as hosts */
    {"my://u@h/d", "host=h user=u database=d", NULL},
    {"maria://u@h/d", "host=h user=u database=d", NULL},
    {"percona://u@h/d", "host=h user=u database=d", NULL},
    {"aurora://u@h/d", "host=h user=u database=d", NULL},
    {"mysql://u@/run/mysqld/mysqld.sock/shop", "socket=/run/mysqld/mysqld.sock user=u database=shop", NULL},
    {"mysql:///tmp/mysql.sock", "socket=/tmp/mysql.sock", NULL},
    {"mysql://u@/tmp/my%20.sock/d?charset=utf8", "socket=/tmp/my .sock user=u database=d", NULL},
    {"mysql://u@/d/", "host=127.0.0.1 user=u database=d", NULL},
    {"mysql://u@/a.socket/b", NULL, "a path where the host should be"},
    {"mysql://u@/var/lib/mysql", NULL, "a path where the host should be"},
    {"mysql://u:p@tcp(h:3307)/d?parseTime=true&tls=true",
     "host=h port=3307 user=u database=d tls=verify-identity password=<p>", NULL},
    {"mysql://u:p(x)@tcp([::1]:3307)/d", "host=::1 port=3307 user=u database=d password=<p(x)>", NULL},
    {"mysql://tcp(h)/d", "host=h database=d", NULL},
    {"mysql://u:p@unix(/run/m.sock)/d", "socket=/run/m.sock user=u database=d password=<p>", NULL},
    {"mysql://u@unix(/run/m.sock)", "socket=/run/m.sock user=u", NULL},
    {"mysql://u@(/run/m.sock)/d", "socket=/run/m.sock user=u database=d", NULL},
    {"mysql://u@(%2Frun%2Fm.sock)/d?compress=yes", "socket=/run/m.sock user=u database=d compress=yes", NULL},
    {"mysql://u@%2Frun%2Fm.sock/d", "socket=/run/m.sock user=u database=d", NULL},
    {"mysql://u@%2frun%2fm.sock:3306/d", "port=3306 socket=/run/m.sock user=u database=d", NULL},
    {"mysql://u@(h:1)/d", "host=h port=1 user=u database=d", NULL},
    {"mysql://u@udp(h:1)/d", NULL, "the port is not a number from 1 to 65535"},
    {"mysql://u@tcp(h:1/d", NULL, "the host is not a valid name"},
    {"mysql://u@good.example/d@(evil)", NULL, "'@' after the host"},
    {"mysql://u:p/w@tcp(evil)/d", NULL, "'@' after the host"},
    {"mysql://u@unix(/s)x/d", NULL, "the host is not a valid name"},
    {"mysql+ssh://me@b/u@/run/m.sock/d", "socket=/run/m.sock user=u database=d via=ssh://me@b", NULL},
    {"jdbc:aws-wrapper:mysql://h:3307/d?user=u", "host=h port=3307 user=u database=d", NULL},
    {"aws-wrapper:mysql://h/", NULL, "it does not start with mysql://"},
    /* neither supported nor ignored */
    {"mysql://h/?init_command=drop", NULL, "unknown parameter 'init_command'"},
    {"mysql://h/?ssl-capath=/x", NULL, "unknown parameter 'ssl-capath'"},
    {"mysql://h/?sessionVariables=x", NULL, "unknown parameter 'sessionVariables'"},
    {"mysql://h/?sslkeypassword=x", NULL, "unknown parameter 'sslkeypassword'"},
    {"mysql+://h/", NULL, "it does not start with mysql://"},
    {"mysql+a b://h/", NULL, "it does not start with mysql://"},
    {"jdbc:mysql+ssh://h/", NULL, "it does not start with mysql://"},
    {"mysqlx://h/", NULL, "it does not start with mysql://"},
    {"jdbc:postgresql://h/", NULL, "it does not start with mysql://"},
};

static void urls_of_other_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct url_case *c = &cases[i];
        AUTO_PROFILE(p);
        AUTO_BUF(out, 65536);
        struct err e = ERR_INIT;
        int got = url_parse(c->url, &p, &e);
        if (c->settings && got < 0)
            fail_msg("%s: %s", c->url, e.msg);
        if (!c->settings && got == 0)
            fail_msg("%s: accepted", c->url);
        if (got == 0)
            describe(&p, &out);
        assert_string_equal(got == 0 ? buf_str(&out) : e.msg, got == 0 ? c->settings : c->msg);
    }
}

static void names_in_any_case(void **state)
{
    static const char *const same[] = {"ssl-mode", "ssl_mode", "SSL-Mode", "SSL_MODE", "sslMode", "SSLMODE"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        AUTO_PROFILE(p);
        AUTO_FREE(char *, url);
        struct err e = ERR_INIT;
        url = mem_printf("mysql://h/?%s=Verify-Ca", same[i]);
        assert_int_equal(url_parse(url, &p, &e), 0);
        assert_string_equal(profile_str(&p, KEY_tls), "verify-ca");
    }
}

static void ignored_parameters_are_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; url_ignored_words[i]; i++) {
        AUTO_PROFILE(p);
        AUTO_BUF(out, 4096);
        AUTO_FREE(char *, url);
        struct err e = ERR_INIT;
        url = mem_printf("mysql://h/?%s=x", url_ignored_words[i]);
        assert_int_equal(url_parse(url, &p, &e), 0);
        describe(&p, &out);
        assert_string_equal(buf_str(&out), "host=h");
        /* It must be neither one of our keys nor a parameter that sets one. */
        assert_int_equal(key_find(key_infos, KEY_COUNT, url_ignored_words[i]), -1);
    }
}

static void masks_passwords_of_other_programs(void **state)
{
    static const struct {
        const char *url, *masked;
    } masked[] = {
        {"mysql+ssh://me:sshpw@b/app:pw@h/d", "mysql+ssh://me:*****@b/app:**@h/d"},
        {"mysql+ssh://me@b/app:p/w@h/d", "mysql+ssh://me@b/app:***@h/d"},
        {"mysql+ssh://me@b:22/app@h/d", "mysql+ssh://me@b:22/app@h/d"},
        {"jdbc:mysql://h/?user=app&password=pw", "jdbc:mysql://h/?user=app&password=**"},
        {"jdbc:mysql://h/?keyStorePassword=pw", "jdbc:mysql://h/?keyStorePassword=**"},
        {"Server=h;Uid=u;Pwd=p w;x=y", "Server=h;Uid=u;Pwd=***;x=y"},
        {"host=h password=pw user=u", "host=h password=*********"},
        {"x=pwd=p=w;y=pw", "x=pwd=***;y=pw"},
        {"mysql -h h -ppw d", "mysql -h h -p****"},
        {"mysql -h h -p d", "mysql -h h -p d"},
        {"user=u", "user=u"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(masked); i++) {
        AUTO_FREE(char *, url);
        url = mem_strdup(masked[i].url);
        assert_int_equal(url_has_password(url), strcmp(masked[i].url, masked[i].masked) != 0);
        url_mask(url);
        assert_string_equal(url, masked[i].masked);
    }
}

/* For the help: each parameter after the key that it sets, but no key after itself. */
static void prints_the_parameters(void **state)
{
    AUTO_BUF(out, 8192);

    (void)state;
    url_words_print(&out);
    assert_string_equal(
        buf_str(&out),
        "  title             name\n"
        "  socket            unix_socket unixsocket socketpath localsocket\n"
        "  user              username\n"
        "  via               ssh_jump\n"
        "  tls               ssl_mode sslmode tlsmode ssl_disabled requiressl verifyservercertificate "
        "ssl_verify_cert "
        "sslverify ssl_verify_identity ssl_verify_server_cert sslaccept ssl\n"
        "  tls_ca            ssl_ca sslca sslrootcert\n"
        "  tls_cert          ssl_cert sslcert\n"
        "  tls_key           ssl_key sslkey\n"
        "  tls_ciphers       ssl_cipher sslcipher\n"
        "  cleartext         enable_cleartext_plugin allowcleartextpasswords\n"
        "  server_public_key get_server_public_key request_server_public_key allowpublickeyretrieval\n"
        "  compress          usecompression\n"
        "  local_infile      allowloadlocalinfile allowallfiles\n"
        "  connect_timeout   connecttimeout\n"
        "  region            aws_region\n");
}

/* The parameter that has set the level stays its origin, unless another one raises the level. */
static void origin_of_a_level(void **state)
{
    static const struct {
        const char *url, *level, *from;
    } rows[] = {{"mysql://h/?tls=verify-ca&sslverify=1", "verify-ca", "tls"},
                {"mysql://h/?tls=required&sslverify=1", "verify-ca", "ssl"},
                {"mysql://h/?tls=verify-identity&sslverify=1", "verify-identity", "tls"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;
        assert_int_equal(url_parse(rows[i].url, &p, &e), 0);
        assert_string_equal(p.set[KEY_tls].value, rows[i].level);
        assert_string_equal(p.set[KEY_tls].from, rows[i].from);
    }
}

/* --- URLs that broker writes --- */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Makes a random text of characters that a value may contain. */
static void random_text(uint32_t *seed, bool is_path, char out[40])
{
    static const char *const pieces[] = {
        "a",  "Z", "9", "@", ":",  "/",  "?", "#", "%",        "&",
        "=",  "+", " ", "'", "\"", "\\", ".", "-", "\xc3\xa9", "\xf0\x9f\x98\x82",
        "%41"};
    size_t n = 1 + next(seed) % 7;

    (void)snprintf(out, 40, "%s", is_path ? "/p" : "x");
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + strlen(out), 40 - strlen(out), "%s", pieces[next(seed) % ARRAY_LEN(pieces)]);
}

static void reads_what_it_writes(void **state)
{
    static const char *const hosts[] = {"db.example.com", "127.0.0.1", "2001:db8::1", "localhost", "::1"};
    uint32_t seed = 4711;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char user[40], database[40], socket[40], ca[40], word[40];
        AUTO_SECRET(password);
        AUTO_PROFILE(p);
        struct err e = ERR_INIT;
        struct env_changes env = {0};
        random_text(&seed, false, user);
        random_text(&seed, false, database);
        random_text(&seed, true, socket);
        random_text(&seed, true, ca);
        random_text(&seed, false, word);
        bool by_socket = next(&seed) % 3 == 0;
        password = next(&seed) % 4 ? secret_from(word, strlen(word)) : NULL;
        struct connection c = {.user = next(&seed) % 4 ? user : NULL,
                               .password = password,
                               .host = by_socket ? NULL : hosts[next(&seed) % ARRAY_LEN(hosts)],
                               .port = 1 + next(&seed) % 65535,
                               .socket = by_socket ? socket : NULL,
                               .database = next(&seed) % 2 ? database : NULL,
                               .tls = by_socket ? TLS_PREFERRED : next(&seed) % 5,
                               .tls_ca = next(&seed) % 2 ? ca : NULL};
        assert_int_equal(
            format_environment(format_find("url"), &c, &(struct format_how){.endpoint = &c}, &env, &e), 0);
        const char *url = env.item[0].value;
        if (url_parse(url, &p, &e) < 0)
            fail_msg("%s: %s", url, e.msg);
        assert_true(text_equal(profile_str(&p, KEY_user), c.user));
        assert_true(text_equal(profile_str(&p, KEY_database), c.database));
        assert_true(text_equal(profile_str(&p, KEY_host), c.host));
        assert_true(text_equal(profile_str(&p, KEY_socket), c.socket));
        if (!by_socket)
            assert_int_equal(profile_number(&p, KEY_port), c.port);
        assert_true(!password ? !p.password : text_equal(secret_bytes(p.password), word));
        assert_true(
            text_equal(profile_str(&p, KEY_tls), c.tls >= TLS_REQUIRED ? tls_level_name(c.tls) : NULL));
        assert_true(text_equal(profile_str(&p, KEY_tls_ca), c.tls >= TLS_VERIFY_CA ? c.tls_ca : NULL));
        env_release(&env);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_other_programs),         cmocka_unit_test(names_in_any_case),
        cmocka_unit_test(ignored_parameters_are_ignored), cmocka_unit_test(masks_passwords_of_other_programs),
        cmocka_unit_test(prints_the_parameters),          cmocka_unit_test(origin_of_a_level),
        cmocka_unit_test(reads_what_it_writes),
    };

    return cmocka_run_group_tests_name("url_words", tests, NULL, NULL);
}
