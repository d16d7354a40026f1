/* SPDX-License-Identifier: MIT */
/* Identities: canonical text. The user is percent-encoded, so that no user name can look like another
 * address. Host names are not resolved, so that the same text identifies the same entry on every network. */
#include <model/identity.h>

#include <string.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#define IDENTITY_MOST 65536
#define COMMAND_MOST (1 << 20) /* more than any command needs */

/* Appends HOST:PORT, or the socket's path; `auto` if the socket is searched for. */
static void add_place(struct buf *out, const struct profile *p)
{
    const char *host = profile_str(p, KEY_host), *path = profile_str(p, KEY_socket);
    unsigned port = profile_number(p, KEY_port);

    if (host)
        text_address(out, host, port ? (long)port : 3306);
    else
        buf_puts(out, path ? path : "auto");
}

/* Appends the SSH server as [USER@]HOST[:PORT], as written. */
static void add_bastion(struct buf *out, const struct profile *p)
{
    const char *user = profile_tunnel_str(p, TUNNEL_user), *host = profile_tunnel_str(p, TUNNEL_host);
    const char *port = profile_tunnel_str(p, TUNNEL_port);

    if (user)
        buf_printf(out, "%s@", user);
    text_address(out, host ? host : "", -1);
    if (port)
        buf_printf(out, ":%s", port);
}

static void add_via(struct buf *out, const struct profile *p)
{
    const char *type = profile_tunnel_str(p, TUNNEL_type);
    const char *command = profile_tunnel_str(p, TUNNEL_command);
    const char *address = profile_tunnel_str(p, TUNNEL_address);
    char hash[33];

    buf_printf(out, ";via=%s:", type ? type : "");
    if (text_equal(type, "command")) {
        text_hash(command ? command : "", command ? strlen(command) : 0, hash);
        buf_puts(out, hash);
    } else if (text_equal(type, "tcp")) {
        buf_printf(out, "//%s", address ? address : "");
    } else {
        buf_puts(out, "//");
        add_bastion(out, p);
    }
}

char *identity_password(const struct profile *p)
{
    AUTO_BUF(out, IDENTITY_MOST);
    const char *user = profile_str(p, KEY_user), *path = profile_str(p, KEY_socket);

    buf_puts(&out, "mysql://");
    if (user) {
        text_percent_encode(&out, user, strlen(user));
        buf_putc(&out, '@');
    }
    if (!profile_str(p, KEY_host))
        buf_puts(&out, path && *path == '/' ? "localhost" : "localhost/");
    add_place(&out, p);
    if (profile_is_tunnelled(p))
        add_via(&out, p);
    return buf_take(&out);
}

char *identity_label(const struct profile *p)
{
    AUTO_BUF(out, IDENTITY_MOST);
    const char *user = profile_str(p, KEY_user);

    if (user)
        buf_printf(&out, "%s@", user);
    add_place(&out, p);
    return buf_take(&out);
}

char *identity_tunnel_label(const struct profile *p)
{
    AUTO_BUF(out, IDENTITY_MOST);

    if (!text_equal(profile_tunnel_str(p, TUNNEL_type), "ssh"))
        return NULL;
    add_bastion(&out, p);
    return buf_take(&out);
}

char *identity_tunnel(const struct profile *p)
{
    AUTO_FREE(char *, label);

    label = identity_tunnel_label(p);
    return label ? mem_printf("ssh://%s", label) : NULL;
}

void identity_add_field(struct buf *out, const char *value)
{
    if (value)
        buf_add(out, value, strlen(value) + 1);
    buf_putc(out, value ? '\002' : '\001');
}

/* Returns true if an argument such as `./get`, `../keys.json` or `--file=keys.json` is the relative path of
 * an existing file. Its text alone does not show whether it is a path. */
static bool leads_here(const char *word)
{
    const char *value = *word == '-' ? strchr(word, '=') : NULL;

    word = value ? value + 1 : word;
    return *word && *word != '/' && access(word, F_OK) == 0;
}

void identity_add_program(struct buf *out, const struct words *words)
{
    AUTO_FREE(char *, real);
    AUTO_FREE(char *, here);
    bool is_here = false;

    for (size_t i = 0; i < words->count; i++) {
        identity_add_field(out, words->word[i]);
        is_here |= leads_here(words->word[i]);
    }
    real = path_real(words->word[0]);
    here = is_here ? getcwd(NULL, 0) : NULL;
    identity_add_field(out, real);
    identity_add_field(out, path_home());
    identity_add_field(out, here);
}

char *identity_command(const struct profile *p, const struct words *words)
{
    AUTO_BUF(text, COMMAND_MOST);
    AUTO_FREE(char *, who);
    char hash[33];

    who = identity_password(p);
    identity_add_program(&text, words);
    identity_add_field(&text, who);
    identity_add_field(&text, profile_str(p, KEY_database));
    text_hash(buf_str(&text), text.len, hash);
    return mem_printf("command:%s", hash);
}
