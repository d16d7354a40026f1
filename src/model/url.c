/* SPDX-License-Identifier: MIT */
/*
 * Parses mysql:// URLs: Sequel Ace's parameters, and every key of the config file under its own name. The
 * URL's mode decides which fields are used: those of other modes are dropped, as in Sequel Ace, except the
 * tunnel, which works with every provider here. Errors never quote user, password, host or port: any of them
 * may be part of a password whose special characters were not encoded.
 */
#include <model/url.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>
#include <model/address.h>
#include <model/kinds.h>
#include <model/url_parts.h>

/* The parameters that are not keys of the config file. */
static const char *const dialect_names[URL_PARAMETERS] = {
    [URL_TYPE] = "type",
    [URL_SSH_HOST] = "ssh_host",
    [URL_SSH_PORT] = "ssh_port",
    [URL_SSH_USER] = "ssh_user",
    [URL_SSH_KEY] = "ssh_keyLocation",
    [URL_SSH_KEY_ENABLED] = "ssh_keyLocationEnabled",
    [URL_SSH_SOCKET] = "ssh_remote_socket_path",
    [URL_AUTO_CONNECT] = "autoConnect",
};

static void url_release(struct url *u)
{
    for (size_t i = 0; i < URL_PARAMETERS; i++)
        free(u->value[i]);
}

static int refuse_encoding(struct url *u, const char *what)
{
    AUTO_FREE(char *, why);

    why = mem_printf("bad percent-encoding in the %s", what);
    return url_refuse(u, "write a literal % as %25", why);
}

/* Decodes once a part that is not a secret, malloced; NULL if the encoding is invalid. */
static char *decode(struct span s)
{
    AUTO_BUF(out, URL_MOST);

    return text_percent_decode(&out, s.n ? s.at : "", s.n) ? buf_take(&out) : NULL;
}

static int decode_secret(struct url *u, struct span s, const char *what, struct secret **out)
{
    AUTO_BUF(plain, URL_MOST);

    if (!text_percent_decode(&plain, s.n ? s.at : "", s.n))
        return refuse_encoding(u, what);
    if (plain.len > SECRET_MAX)
        return url_refuse(u, NULL, "password too long");
    secret_free(*out);
    *out = secret_from(buf_str(&plain), plain.len);
    return 0;
}

static bool is_one_of(const char *const *words, const char *s, size_t n)
{
    for (; *words; words++)
        if (strlen(*words) == n && strncasecmp(*words, s, n) == 0)
            return true;
    return false;
}

static bool drop_prefix(struct span *s, const char *prefix)
{
    size_t n = strlen(prefix);

    if (s->n <= n || strncasecmp(s->at, prefix, n) != 0)
        return false;
    *s = (struct span){s->at + n, s->n - n};
    return true;
}

/* Accepts mysql, other programs' names for it, and after a `+` SQLAlchemy's driver, which is ignored, or
 * TablePlus's ssh. */
static bool take_scheme(struct url *u)
{
    static const char *const names[] = {"mysql", "mariadb", "mysql2", "trilogy", "my",
                                        "maria", "percona", "aurora", NULL}; /* the last four: from dburl */
    struct span s = u->parts.scheme;

    u->is_jdbc = drop_prefix(&s, "jdbc:");
    if (u->is_jdbc)
        (void)drop_prefix(&s, "aws-wrapper:");
    const char *plus = s.n ? memchr(s.at, '+', s.n) : NULL;
    size_t n = plus ? (size_t)(plus - s.at) : s.n;
    for (size_t i = n + 1; i < s.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", s.at[i] | 0x20))
            return false;
    return is_one_of(names, s.at, n) && (!plus || (n + 1 < s.n && !u->is_jdbc));
}

static int take_user(struct url *u)
{
    AUTO_FREE(char *, user);

    if (u->parts.password.at && decode_secret(u, u->parts.password, "password", &u->p->password) < 0)
        return -1;
    if (!u->parts.user.n)
        return 0;
    user = decode(u->parts.user);
    return user ? url_set_key(u, KEY_user, user, "user") : refuse_encoding(u, "user");
}

static int take_socket(struct url *u, struct span s)
{
    AUTO_FREE(char *, path);

    path = decode(s);
    if (!path)
        return refuse_encoding(u, "socket's path");
    if (!u->parts.ssh_host.at)
        return url_set_key(u, KEY_socket, path, "host");
    u->value[URL_SSH_SOCKET] = path; /* a socket on the SSH server */
    path = NULL;
    return 0;
}

/* Without a host, dburl and other programs put the socket's path into the URL's path:
 * /run/mysqld/mysqld.sock/DATABASE. Any other path is an error. */
static int take_socket_of_path(struct url *u)
{
    static const char mark[] = ".sock";
    const size_t n = sizeof mark - 1;
    struct span *path = &u->parts.path, socket;

    for (size_t i = 0; i + n <= path->n; i++) {
        size_t end = i + n;
        if (strncmp(path->at + i, mark, n) != 0 || (end < path->n && path->at[end] != '/'))
            continue;
        socket = (struct span){path->at - 1, end + 1};
        end += end < path->n;
        *path = (struct span){path->at + end, path->n - end};
        return take_socket(u, socket);
    }
    const char *slash = path->n ? memchr(path->at, '/', path->n) : NULL;
    if (!slash || slash + 1 == path->at + path->n)
        return 0;
    return url_refuse(u, "mysql://USER@HOST/DATABASE, or socket=/PATH", "a path where the host should be");
}

static int take_host(struct url *u)
{
    static const char hint[] =
        "percent-encode special characters of the password: %2F is /, %3A is :, %40 is @";
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, port);
    struct span h = u->parts.host, port_text = u->parts.port;
    unsigned long number;

    if (u->parts.path.n && memchr(u->parts.path.at, '@', u->parts.path.n))
        return url_refuse(u, hint, "'@' after the host");
    if ((h.n && memchr(h.at, ',', h.n)) || (port_text.n && memchr(port_text.at, ',', port_text.n)))
        return url_refuse(u, "give one of them", "more than one host");
    if (u->parts.port.n) {
        port = mem_strndup(u->parts.port.at, u->parts.port.n);
        if (!text_number(port, 65535, &number) || number == 0)
            return url_refuse(u, hint, "the port is not a number from 1 to 65535");
        if (url_set_key(u, KEY_port, port, "port") < 0)
            return -1;
    }
    if (u->parts.socket.n)
        return take_socket(u, u->parts.socket);
    if (!h.n)
        return take_socket_of_path(u);
    bool has_brackets = h.n > 1 && *h.at == '[' && h.at[h.n - 1] == ']';
    host = decode(has_brackets ? (struct span){h.at + 1, h.n - 2} : h);
    if (host && *host == '/')
        return take_socket(u, h);
    if (!host || !host_is_valid(host) || has_brackets != (strchr(host, ':') != NULL))
        return url_refuse(u, hint, "the host is not a valid name");
    return url_set_key(u, KEY_host, host, "host");
}

/* Takes the first segment of the path as the database. */
static int take_database(struct url *u)
{
    struct span s = u->parts.path;
    const char *slash = s.n ? memchr(s.at, '/', s.n) : NULL;
    AUTO_FREE(char *, database);

    if (slash)
        s.n = (size_t)(slash - s.at);
    if (!s.n)
        return 0;
    database = decode(s);
    return database ? url_set_key(u, KEY_database, database, "database") : refuse_encoding(u, "database");
}

static int refuse_parameter(struct url *u, const char *name)
{
    bool is_harmless =
        *name && strlen(name) <= 64 &&
        !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")];
    AUTO_FREE(char *, why);

    if (key_is_secret(name) && is_harmless)
        why =
            mem_printf("'%s' is not a parameter: put the password before the host, USER:PASSWORD@HOST", name);
    else
        why = is_harmless ? mem_printf("unknown parameter '%s'", name) : mem_strdup("unknown parameter");
    return url_refuse(u, NULL, why);
}

static int take_value(struct url *u, const char *name, const char *value)
{
    for (size_t i = 0; i < URL_PARAMETERS; i++) {
        if (strcmp(name, dialect_names[i]) != 0)
            continue;
        free(u->value[i]);
        u->value[i] = mem_strdup(value);
        return 0;
    }
    int taken = url_take_word(u, name, value);
    if (taken)
        return taken < 0 ? -1 : 0;
    int k = key_find(key_infos, KEY_COUNT, name);
    return k < 0 ? refuse_parameter(u, name) : url_set_key(u, (enum key)k, value, key_infos[k].name);
}

/* Takes the SSH server of mysql+ssh://, which precedes the path. */
static int take_ssh(struct url *u)
{
    const struct span parts[] = {u->parts.ssh_host, u->parts.ssh_port, u->parts.ssh_user};
    static const enum url_parameter names[] = {URL_SSH_HOST, URL_SSH_PORT, URL_SSH_USER};

    if (!u->parts.ssh_host.at)
        return 0;
    u->value[URL_TYPE] = mem_strdup("ssh");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        u->value[names[i]] = decode(parts[i]);
        if (!u->value[names[i]])
            return refuse_encoding(u, "bastion");
    }
    return u->parts.ssh_password.at
               ? decode_secret(u, u->parts.ssh_password, "bastion's password", &u->p->ssh_password)
               : 0;
}

static int take_parameters(struct url *u)
{
    struct span query = u->parts.query, name, value;

    while (url_next_parameter(&query, &name, &value)) {
        AUTO_FREE(char *, plain_name);
        AUTO_FREE(char *, plain);
        if (!name.n && !value.at)
            continue;
        plain_name = mem_strndup(name.at, name.n);
        if (text_equal(plain_name, "ssh_password")) {
            if (decode_secret(u, value, "ssh_password", &u->p->ssh_password) < 0)
                return -1;
            continue;
        }
        if (u->is_jdbc && text_equal(plain_name, "password")) {
            if (decode_secret(u, value, "password", &u->p->password) < 0)
                return -1;
            continue;
        }
        if (key_is_secret(plain_name))
            return refuse_parameter(u, plain_name);
        plain = decode(value);
        if (!plain)
            return refuse_encoding(u, "parameters");
        if (take_value(u, plain_name, plain) < 0)
            return -1;
    }
    return 0;
}

static int check_whole(struct url *u, const char *url)
{
    if (strlen(url) > URL_MOST)
        return url_refuse(u, NULL, "too long");
    if (!url_is(url))
        return url_refuse(u, "mysql://[USER@]HOST[:PORT]/[DATABASE]", "no '://' in it");
    url_split(url, &u->parts);
    if (!take_scheme(u))
        return url_refuse(u, "mysql://[USER@]HOST[:PORT]/[DATABASE]", "it does not start with mysql://");
    if (u->parts.fragment)
        return url_refuse(u, "write it as %23", "a '#' that is not percent-encoded");
    return 0;
}

int url_parse(const char *url, struct profile *p, struct err *e)
{
    __attribute__((cleanup(url_release))) struct url u = {.p = p, .e = e};

    p->is_of_url = true;
    if (check_whole(&u, url) < 0)
        return -1;
    if (take_user(&u) < 0 || take_host(&u) < 0 || take_database(&u) < 0 || take_ssh(&u) < 0 ||
        take_parameters(&u) < 0 || url_settle_tls(&u) < 0)
        return -1;
    return url_settle_mode(&u);
}
