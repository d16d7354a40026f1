/* SPDX-License-Identifier: MIT */
/*
 * The option file for a MySQL client: first includes of the user's own files, then our values, so that ours
 * win. Everything that decides which server is reached and how securely is always written, so that an
 * included file cannot change it. What differs between the two families is in small functions. Other programs
 * get a plain file, which readers that know neither family's options can parse.
 */
#include <output/client.h>

#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>

#include "write.h"

#define OPTION_FILE_MAX 60000
/* MariaDB's option reader silently corrupts lines longer than about 4,070 bytes. */
#define MARIADB_LINE_MAX 4000

/* Groups that programs read in addition to [client], by program; MariaDB's programs read them too. */
static const char *const groups[] = {"mysql",      "mysqldump", "mysqladmin", "mysqlimport",
                                     "mysqlcheck", "mysqlshow", "mysqlslap",  "mysqlbinlog"};

struct writer {
    struct secret *out;
    struct err *e;
    int failed;
    bool plain; /* use quotes only if the clients' own reader needs them, because other readers take them as
                   part of the value */
    bool lean;  /* leave out defaults, because no included file can change them */
    const char *key; /* the option whose value is being written */
    bool masked;     /* write the password as a comment */
};

static void put(struct writer *w, const char *s, size_t n)
{
    if (!w->failed && secret_add(w->out, s, n) < 0)
        w->failed = err_set(w->e, ERR_DATA, "the client's options are over %d bytes long", OPTION_FILE_MAX);
}

static void put_line(struct writer *w, const char *s)
{
    put(w, s, strlen(s));
    put(w, "\n", 1);
}

static void put_group(struct writer *w, const char *name)
{
    put(w, "[", 1);
    put(w, name, strlen(name));
    put_line(w, "]");
}

/* Returns true if a value needs quotes; only Go's gcfg needs them for a `;`. */
static bool needs_quotes(const char *s, size_t n)
{
    if (n == 0)
        return false;
    if (strchr("\"' ", s[0]) || s[n - 1] == ' ')
        return true;
    for (size_t i = 0; i < n; i++) {
        if (strchr("#;\\\n\r\t\b", s[i]))
            return true;
    }
    return false;
}

/* Refuses a value that needs both quotes and escapes: PyMySQL removes the quotes but keeps the escapes. */
static void refuse_value(struct writer *w)
{
    (void)err_set(w->e, ERR_DATA, "format mycnf-plain cannot carry %s: it needs quotes and contains one",
                  w->key);
    w->failed = err_hint(w->e, "--format mycnf, or another: broker help formats");
}

/* Writes a value in double quotes and escapes what would end or change the line. */
static void put_value(struct writer *w, const char *s, size_t n)
{
    static const char plain[] = "\\\"\n\r\t\b", escaped[] = "\\\"nrtb";

    if (w->plain && !needs_quotes(s, n)) {
        put(w, s, n);
        put(w, "\n", 1);
        return;
    }
    if (w->plain && w->lean && memchr(s, '"', n))
        refuse_value(w);
    put(w, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        const char *at = s[i] ? strchr(plain, s[i]) : NULL;
        if (at) {
            put(w, "\\", 1);
            put(w, &escaped[at - plain], 1);
        } else {
            put(w, &s[i], 1);
        }
    }
    put(w, "\"\n", 2);
}

static void put_str(struct writer *w, const char *key, const char *value)
{
    if (!value)
        return;
    w->key = key;
    put(w, key, strlen(key));
    put(w, "=", 1);
    put_value(w, value, strlen(value));
}

static void put_number(struct writer *w, const char *key, unsigned long n)
{
    AUTO_BUF(line, 256);

    buf_printf(&line, "%s=%lu", key, n);
    put_line(w, buf_str(&line));
}

/* Prevents an included file from adding CA certificates. mysql takes an empty `ssl-capath` for a folder and
 * then verifies nothing, and `skip-ssl-capath` for the folder "0"; a path below /dev/null never exists. */
#define NO_CAPATH "ssl-capath=/dev/null"

/* If CA certificates are used, both options for them are written, so that an included file cannot add any.
 * Below verify-ca mysql ignores both, and warns on each run if one is set, even to an empty value. */
static void put_tls_mysql(struct writer *w, const struct connection *c)
{
    put(w, "ssl-mode=", 9);
    put_line(w, tls_level_ssl_mode(c->tls));
    if (c->tls >= TLS_VERIFY_CA) {
        put_str(w, "ssl-ca", c->tls_ca ? c->tls_ca : "");
        put_line(w, NO_CAPATH);
    }
    if (!w->lean || c->server_public_key)
        put_number(w, "get-server-public-key", c->server_public_key);
}

/* Not written to [client], because mysqlbinlog lacks it and would fail with "unknown variable". */
static void put_cleartext_mysql(struct writer *w, const struct connection *c)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (text_equal(groups[i], "mysqlbinlog"))
            continue;
        put_group(w, groups[i]);
        put_number(w, "enable-cleartext-plugin", c->cleartext);
    }
}

/* `ssl-verify-server-cert` is always written: its default makes TLS optional, and means something else from
 * 11.4 on. */
static void put_tls_mariadb(struct writer *w, const struct connection *c)
{
    bool verify = c->tls >= TLS_REQUIRED;

    put_line(w, c->tls == TLS_DISABLED ? "skip-ssl" : "ssl=1");
    put_line(w, verify ? "ssl-verify-server-cert" : "disable-ssl-verify-server-cert");
    if (verify) {
        put_str(w, "ssl-ca", c->tls_ca);
        put_line(w, NO_CAPATH);
    }
    put_str(w, "plugin-dir", c->plugin_dir);
}

static void put_user(struct writer *w, const struct connection *c, bool with_password)
{
    put_str(w, "user", c->user);
    if (c->password && w->masked) {
        put_line(w, "# password=" MASK);
    } else if (c->password && with_password) {
        w->key = "password";
        put(w, "password=", 9);
        put_value(w, secret_bytes(c->password), secret_len(c->password));
    }
}

static void put_socket(struct writer *w, const char *path)
{
    put_str(w, "host", "localhost");
    put_str(w, "socket", path);
    put_line(w, "protocol=SOCKET");
}

static void put_place(struct writer *w, const struct connection *c)
{
    if (c->socket) {
        put_socket(w, c->socket);
        return;
    }
    put_str(w, "host", c->host);
    put_number(w, "port", c->port);
    put_line(w, "protocol=TCP");
}

static void put_tls_files(struct writer *w, const struct connection *c)
{
    if (c->tls == TLS_DISABLED)
        return;
    put_str(w, "ssl-cert", c->tls_cert);
    put_str(w, "ssl-key", c->tls_key);
    put_str(w, "ssl-cipher", c->tls_ciphers);
}

static void put_client_group(struct writer *w, const struct connection *c, enum flavour f, bool with_password)
{
    put_group(w, "client");
    put_user(w, c, with_password);
    put_place(w, c);
    put_str(w, "tls-version", c->tls_version);
    put_tls_files(w, c);
    /* Written last: from MariaDB 11.4 on each TLS option, even the version, undoes an earlier skip-ssl. */
    if (f == FLAVOUR_MARIADB)
        put_tls_mariadb(w, c);
    else
        put_tls_mysql(w, c);
}

/* Not written to [client], where they make mysqldump and others fail with "unknown option". */
static void put_shell_group(struct writer *w, const struct connection *c, enum flavour f)
{
    put_group(w, "mysql");
    put_str(w, "database", c->database);
    if (c->time_zone) {
        AUTO_BUF(statement, 1024);
        buf_puts(&statement, "SET time_zone = '");
        for (const char *s = c->time_zone; *s; s++)
            buf_printf(&statement, *s == '\'' || *s == '\\' ? "\\%c" : "%c", *s);
        buf_puts(&statement, "'");
        put_str(w, "init-command", buf_str(&statement));
    }
    put_number(w, "connect-timeout", c->connect_timeout);
    put_number(w, "local-infile", c->local_infile);
    if (c->compress)
        put_line(w, f == FLAVOUR_MARIADB ? "compress" : "compression-algorithms=zlib");
    if (c->fixed)
        put_line(w, "skip-reconnect");
}

static size_t escaped_length(const struct secret *s)
{
    size_t n = sizeof "password=\"\"";

    for (const char *at = secret_bytes(s); *at; at++)
        n += strchr("\\\"\n\r\t\b", *at) ? 2 : 1;
    return n;
}

static int check_values(const struct connection *c, struct err *e)
{
    if (!c->password || strlen(secret_bytes(c->password)) == secret_len(c->password))
        return 0;
    (void)err_set(e, ERR_DATA, "the password contains a NUL byte, which clients do not support");
    return err_hint(e, "set another password on the server");
}

int client_option_file(const struct connection *c, enum flavour f, struct secret **out, bool *by_env,
                       struct err *e)
{
    AUTO_SECRET(text);

    if (check_values(c, e) < 0)
        return -1;
    *by_env = f == FLAVOUR_MARIADB && c->password && escaped_length(c->password) > MARIADB_LINE_MAX;
    text = secret_new(OPTION_FILE_MAX);
    struct writer w = {.out = text, .e = e};
    for (size_t i = 0; !*by_env && c->includes && c->includes[i]; i++) {
        put(&w, "!include ", 9);
        put_line(&w, c->includes[i]);
    }
    put_client_group(&w, c, f, !*by_env);
    if (f == FLAVOUR_MYSQL)
        put_cleartext_mysql(&w, c);
    put_shell_group(&w, c, f);
    if (w.failed)
        return -1;
    *out = text;
    text = NULL;
    return 0;
}

static int check_line(const char *format, const struct connection *c, struct err *e)
{
    if (!c->password || escaped_length(c->password) <= MARIADB_LINE_MAX)
        return 0;
    (void)err_set(e, ERR_DATA,
                  "format %s cannot carry password: MariaDB's clients change one of over %d bytes", format,
                  MARIADB_LINE_MAX);
    return err_hint(e, "broker connect or exec, or --format env");
}

int client_check_mariadb(const char *format, const struct connection *c, struct err *e)
{
    if (c->tls <= TLS_PREFERRED ||
        (c->tls == TLS_VERIFY_IDENTITY && (!c->host || !host_is_loopback(c->host))))
        return 0;
    (void)err_set(e, ERR_DATA, "format %s: MariaDB's clients have no option for tls = %s%s", format,
                  tls_level_name(c->tls), c->tls == TLS_VERIFY_IDENTITY ? " to this machine" : "");
    return err_hint(e, "--client mysql, or broker connect");
}

static int finish(const struct writer *w, struct secret **text, struct buf *out)
{
    if (w->failed)
        return -1;
    buf_add(out, secret_bytes(*text), secret_len(*text));
    return 0;
}

int client_params_file(const struct connection *c, enum flavour f, bool masked, struct buf *out,
                       struct err *e)
{
    AUTO_SECRET(text);
    struct connection lean = *c;

    if (f == FLAVOUR_MARIADB && (check_line("mycnf", c, e) < 0 || client_check_mariadb("mycnf", c, e) < 0))
        return -1;
    text = secret_new(OPTION_FILE_MAX);
    struct writer w = {.out = text, .e = e, .lean = true, .masked = masked};
    lean.tls_version = version_of(c);
    put_client_group(&w, &lean, f, true);
    if (f == FLAVOUR_MYSQL && c->cleartext)
        put_cleartext_mysql(&w, c);
    if (c->database) {
        put_group(&w, "mysql");
        put_str(&w, "database", c->database);
    }
    return finish(&w, &text, out);
}

/* Sets verification for MariaDB's programs, which verify by default from 11.4 on. */
static void put_mariadb_group(struct writer *w, const struct connection *c)
{
    put_group(w, "client-mariadb");
    put_number(w, "ssl-verify-server-cert", c->tls >= TLS_REQUIRED);
    put_number(w, "ssl", c->tls != TLS_DISABLED);
    put_str(w, "plugin-dir", c->plugin_dir);
}

/* Drivers read the port from [client]; MySQL clients, some of which need the socket, read their own groups.
 * No group occurs twice and no key is without a value, because Python's configparser refuses both. */
static void put_stock_groups(struct writer *w, const struct connection *c)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        bool shell = text_equal(groups[i], "mysql");
        if (!c->socket && !shell)
            continue;
        put_group(w, groups[i]);
        if (c->socket)
            put_socket(w, c->socket);
        if (shell)
            put_str(w, "database", c->database);
    }
}

int client_plain_file(const struct connection *c, struct secret **out, bool *by_env, struct err *e)
{
    AUTO_SECRET(text);

    if (check_values(c, e) < 0)
        return -1;
    *by_env = c->password && escaped_length(c->password) > MARIADB_LINE_MAX;
    text = secret_new(OPTION_FILE_MAX);
    struct writer w = {.out = text, .e = e, .plain = true};
    put_group(&w, "client");
    put_user(&w, c, !*by_env);
    put_str(&w, "host", c->host);
    put_number(&w, "port", c->port);
    put_line(&w, "protocol=TCP");
    put_tls_files(&w, c);
    put_mariadb_group(&w, c);
    put_stock_groups(&w, c);
    if (w.failed)
        return -1;
    *out = text;
    text = NULL;
    return 0;
}

int client_params_plain(const struct connection *c, bool masked, struct buf *out, struct err *e)
{
    AUTO_SECRET(text);

    if (check_line("mycnf-plain", c, e) < 0)
        return -1;
    text = secret_new(OPTION_FILE_MAX);
    struct writer w = {.out = text, .e = e, .plain = true, .lean = true, .masked = masked};
    put_group(&w, "client");
    put_user(&w, c, true);
    put_place(&w, c);
    put_str(&w, "database", c->database);
    if (c->tls == TLS_VERIFY_IDENTITY) {
        put_str(&w, "ssl-ca", c->tls_ca);
        put_str(&w, "ssl-mode", tls_level_ssl_mode(c->tls));
    }
    put_tls_files(&w, c);
    put_mariadb_group(&w, c);
    return finish(&w, &text, out);
}
