/* SPDX-License-Identifier: MIT */
/*
 * The mode of a URL (tcp, socket or ssh) and what follows from it. Fields of other modes are dropped, as in
 * Sequel Ace. A provider is not a mode, so an IAM token or a temporary Vault user works through a tunnel too.
 */
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>
#include <model/address.h>
#include <model/url_parts.h>
#include <model/via.h>

static void drop_key(struct url *u, enum key k)
{
    if (u->p->set[k].origin == ORIGIN_URL)
        setting_clear(&u->p->set[k]);
}

/* Returns true if this URL has set the key. */
static bool has_key(const struct url *u, enum key k)
{
    return u->p->set[k].origin == ORIGIN_URL && u->p->set[k].value;
}

enum mode { MODE_TCP, MODE_SOCKET, MODE_SSH };

static const struct {
    const char *name, *auth;
    enum mode mode; /* used if auth is NULL */
} types[] = {
    {"tcpip", NULL, MODE_TCP},    {"tcp", NULL, MODE_TCP},      {"socket", NULL, MODE_SOCKET},
    {"ssh", NULL, MODE_SSH},      {"aws_iam", "iam", MODE_TCP}, {"awsiam", "iam", MODE_TCP},
    {"vault", "vault", MODE_TCP}, /* refused later, with a message of its own */
};

static bool is_given(const struct url *u, enum url_parameter d)
{
    return u->value[d] && *u->value[d];
}

/* Returns the mode that the parameters imply if there is no `type`. An IAM token implies TCP. */
static enum mode implied_mode(const struct url *u, const char *auth)
{
    bool is_iam = text_equal(auth, "iam");

    if (has_key(u, KEY_socket) && !is_iam)
        return MODE_SOCKET;
    return is_given(u, URL_SSH_HOST) || is_given(u, URL_SSH_SOCKET) ? MODE_SSH : MODE_TCP;
}

static int choose_mode(struct url *u, enum mode *mode)
{
    const char *auth = has_key(u, KEY_aws_profile) || has_key(u, KEY_region) ? "iam" : NULL;
    size_t i = 0;

    if (u->value[URL_TYPE]) {
        while (i < ARRAY_LEN(types) && !text_equal_nocase(u->value[URL_TYPE], types[i].name))
            i++;
        if (i == ARRAY_LEN(types))
            return url_refuse(u, "type is one of: tcp socket ssh aws_iam", "unknown type");
        auth = types[i].auth;
    }
    *mode = u->value[URL_TYPE] && !auth ? types[i].mode : implied_mode(u, auth);
    return auth && !has_key(u, KEY_auth) ? url_set_key(u, KEY_auth, auth, "type") : 0;
}

static int use_tcp(struct url *u)
{
    drop_key(u, KEY_socket);
    return has_key(u, KEY_host) ? 0 : url_set_key(u, KEY_host, "127.0.0.1", "host");
}

static int use_socket(struct url *u)
{
    if (has_key(u, KEY_host) && !u->value[URL_TYPE] && !host_is_loopback(profile_str(u->p, KEY_host)))
        return url_refuse(u, "keep the host for TCP, or socket for a server on this machine",
                          "host and socket contradict each other");
    drop_key(u, KEY_host);
    return has_key(u, KEY_socket) ? 0 : url_set_key(u, KEY_socket, "auto", "type");
}

/* Parses the tunnel's port. Surrounding spaces are ignored; spaces alone mean that no port is set. */
static int read_ssh_port(struct url *u, long *port)
{
    AUTO_FREE(char *, text);
    const char *s = u->value[URL_SSH_PORT] ? u->value[URL_SSH_PORT] : "";
    unsigned long number;

    s += strspn(s, " \t");
    text = mem_strndup(s, strcspn(s, " \t"));
    *port = -1;
    if (!*s)
        return 0;
    if (s[strlen(text) + strspn(s + strlen(text), " \t")] || !text_number(text, 65535, &number) ||
        number == 0)
        return url_refuse(u, NULL, "ssh_port is not a number from 1 to 65535");
    *port = (long)number;
    return 0;
}

static int put_ssh_tunnel(struct url *u)
{
    AUTO_BUF(text, URL_MOST);
    AUTO_FREE(char *, key);
    AUTO_VIA(via);
    long port;

    if (read_ssh_port(u, &port) < 0)
        return -1;
    buf_puts(&text, "ssh://");
    if (is_given(u, URL_SSH_USER))
        buf_printf(&text, "%s@", u->value[URL_SSH_USER]);
    text_address(&text, u->value[URL_SSH_HOST], port);
    if (url_set_key(u, KEY_via, buf_str(&text), "ssh_host") < 0)
        return -1;
    if (!has_key(u, KEY_via) || via_parse(buf_str(&text), &via, u->e) < 0)
        return 0;
    tunnel_put_inline(u->p, &via);
    if (!is_given(u, URL_SSH_KEY) || !is_given(u, URL_SSH_KEY_ENABLED) ||
        strtol(u->value[URL_SSH_KEY_ENABLED], NULL, 10) == 0)
        return 0;
    if (key_check(&tunnel_key_infos[TUNNEL_identity], u->value[URL_SSH_KEY], &key, u->e) < 0)
        return url_refuse(u, NULL, "ssh_keyLocation is not a path");
    (void)setting_put(&u->p->tunnel[TUNNEL_identity], key, ORIGIN_URL, "ssh_keyLocation", 0);
    return 0;
}

static int use_ssh(struct url *u)
{
    drop_key(u, KEY_socket);
    if (is_given(u, URL_SSH_SOCKET)) {
        drop_key(u, KEY_host);
        if (url_set_key(u, KEY_socket, u->value[URL_SSH_SOCKET], "ssh_remote_socket_path") < 0)
            return -1;
    } else if (use_tcp(u) < 0) {
        return -1;
    }
    if (is_given(u, URL_SSH_HOST))
        return put_ssh_tunnel(u);
    if (is_given(u, URL_SSH_SOCKET) || has_key(u, KEY_via))
        return 0;
    return url_refuse(u, "add ssh_host=HOST", "type=ssh without ssh_host");
}

int url_settle_mode(struct url *u)
{
    enum mode mode = MODE_TCP;

    if (choose_mode(u, &mode) < 0)
        return -1;
    if (mode == MODE_SSH)
        return use_ssh(u);
    secret_free(u->p->ssh_password);
    u->p->ssh_password = NULL;
    return mode == MODE_SOCKET ? use_socket(u) : use_tcp(u);
}
