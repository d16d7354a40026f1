/* SPDX-License-Identifier: MIT */
/*
 * Turns the output of `ssh -G` into settings, and expands its file names; its keys are in config_keys.c.
 * broker does not read ssh_config itself (Host, Match, Include): `ssh -G` has done that.
 */
#include <ssh/config.h>

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

#include "config_keys.h"

#define PATH_MOST 4096
#define KEEPALIVE_MS 60000 /* the default of the tunnel's key */

/* --- paths ---------------------------------------------------------------------------------------------- */

/* Returns the home folder that ssh uses: from the password database, not $HOME. */
static const char *ssh_home(void)
{
    const struct passwd *pw = getpwuid(getuid());

    return pw && pw->pw_dir && *pw->pw_dir == '/' ? pw->pw_dir : "/";
}

static const char *local_user(void)
{
    const struct passwd *pw = getpwuid(getuid());

    return pw && pw->pw_name ? pw->pw_name : "";
}

/* Expands a token of ssh_config(5), TOKENS. Returns false if it is not supported here. */
static bool put_token(struct buf *out, const struct ssh_settings *s, char token)
{
    const char *const values[] = {
        ['%'] = "%",         ['d'] = ssh_home(),
        ['h'] = s->host,     ['k'] = s->host_key_alias ? s->host_key_alias : s->alias,
        ['n'] = s->alias,    ['r'] = s->user,
        ['u'] = local_user()};
    size_t i = (unsigned char)token;

    if (token == 'p' || token == 'i')
        buf_printf(out, "%u", token == 'p' ? s->port : (unsigned)getuid());
    else if (i < ARRAY_LEN(values) && values[i])
        buf_puts(out, values[i]);
    else
        return false;
    return true;
}

/* Expands "~/", %h and similar tokens, and ${NAME}. Returns NULL if a token is unknown or a variable is not
 * set. */
static char *expand(const struct ssh_settings *s, const char *path)
{
    AUTO_BUF(out, PATH_MOST);

    if (text_starts(path, "~/")) {
        buf_puts(&out, ssh_home());
        path++;
    }
    for (const char *p = path; *p; p++) {
        const char *end = text_starts(p, "${") ? strchr(p, '}') : NULL;
        if (end) {
            AUTO_FREE(char *, name);
            name = mem_strndup(p + 2, (size_t)(end - p - 2));
            const char *value = secure_getenv(name);
            if (!value)
                return NULL;
            buf_puts(&out, value);
            p = end;
        } else if (*p != '%') {
            buf_putc(&out, *p);
        } else if (!put_token(&out, s, *++p)) {
            return NULL;
        }
    }
    return buf_ok(&out) && *buf_str(&out) == '/' ? buf_take(&out) : NULL;
}

/* If a path cannot be expanded, only the system's ssh can be used. */
static void expand_all(struct ssh_settings *s, struct words *files)
{
    struct words expanded = {0};

    for (size_t i = 0; i < files->count; i++) {
        char *path = expand(s, files->word[i]);
        if (path)
            words_take(&expanded, path);
        else
            s->beyond = "the name of a file";
    }
    words_release(files);
    *files = expanded;
}

static void settle_agent(struct ssh_settings *s)
{
    const char *named = s->identity_agent, *path = secure_getenv("SSH_AUTH_SOCK");
    char *expanded = NULL;

    if (text_equal(named, "none"))
        path = NULL;
    else if (named && *named == '$' && named[1] != '{')
        path = secure_getenv(named + 1);
    else if (named && !text_equal(named, "SSH_AUTH_SOCK") && !(path = expanded = expand(s, named)))
        s->beyond = "the name of the agent's socket";
    settings_put(&s->identity_agent, path && *path ? path : NULL);
    free(expanded);
}

/* Debian's ssh turns on GSSAPI by default; it is only relevant if there is a ticket. */
static bool has_ticket(void)
{
    const char *cache = secure_getenv("KRB5CCNAME");
    AUTO_FREE(char *, usual);

    usual = mem_printf("/tmp/krb5cc_%u", (unsigned)getuid());
    return (cache && *cache) || access(usual, R_OK) == 0;
}

static void settle(struct ssh_settings *s)
{
    expand_all(s, &s->identity_files);
    expand_all(s, &s->certificate_files);
    expand_all(s, &s->user_known_hosts);
    expand_all(s, &s->global_known_hosts);
    settle_agent(s);
    s->gssapi = s->gssapi && has_ticket();
}

/* --- all settings
 * ----------------------------------------------------------------------------------------- */

int ssh_config_parse(struct ssh_settings *s, const char *text, size_t n, struct err *e)
{
    for (const char *p = text, *end = text + n, *stop; p < end; p = stop + 1) {
        AUTO_FREE(char *, line);
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        line = mem_strndup(p, (size_t)(stop - p));
        char *value = strchr(line, ' ');
        if (!value)
            continue;
        *value++ = '\0';
        if (config_take(s, line, value, e) < 0)
            return -1;
    }
    if (!s->host || !*s->host || !s->user || !s->port || s->port > 65535)
        return err_set(e, ERR_PROTOCOL, "printed no host, port and user");
    settle(s);
    return 0;
}

void ssh_config_defaults(struct ssh_settings *s, const char *alias)
{
    static const char *const keys[] = {"rsa", "ecdsa", "ed25519"};

    *s = (struct ssh_settings){.port = 22,
                               .publickey = true,
                               .keyboard_interactive = true,
                               .password = true,
                               .password_prompts = 3,
                               .alias = mem_strdup(alias),
                               .host = mem_strdup(alias),
                               .user = mem_strdup(local_user())};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        words_take(&s->identity_files, mem_printf("%s/.ssh/id_%s", ssh_home(), keys[i]));
    words_take(&s->user_known_hosts, mem_printf("%s/.ssh/known_hosts", ssh_home()));
    words_add(&s->global_known_hosts, "/etc/ssh/ssh_known_hosts");
    settle(s);
}

/* The tunnel's `identity` is offered before all other keys. ssh would skip a missing file with a warning that
 * is not shown. */
static int put_identity(struct ssh_settings *s, const char *path, struct err *e)
{
    struct words files = {0};
    AUTO_FREE(char *, full);
    AUTO_FREE(char *, name);

    full = path_expand(path);
    name = path_short(full);
    if (access(full, R_OK) < 0) {
        (void)err_set(e, ERR_CONFIG, "identity %s: %s", name, strerror(errno));
        return err_hint(e, "set identity to a private key file that you can read");
    }
    words_add(&files, full);
    for (size_t i = 0; i < s->identity_files.count; i++) {
        if (!text_equal(s->identity_files.word[i], full))
            words_add(&files, s->identity_files.word[i]);
    }
    words_release(&s->identity_files);
    s->identity_files = files;
    s->identity_given = true;
    return 0;
}

static void take_ms(const struct target *target, const char *key, int64_t *ms)
{
    const char *value = target_key(target, key);
    unsigned long n;

    if (value && text_number(value, 1UL << 40, &n))
        *ms = (int64_t)n;
}

int ssh_config_override(struct ssh_settings *s, struct err *e)
{
    const char *port = target_key(s->target, "port"), *user = target_key(s->target, "user");
    const char *identity = target_key(s->target, "identity");
    int64_t keepalive = KEEPALIVE_MS;
    unsigned long n;

    if (port && text_number(port, 65535, &n) && n)
        s->port = (unsigned)n;
    if (user)
        settings_put(&s->user, user);
    take_ms(s->target, "keepalive", &keepalive);
    if (keepalive != KEEPALIVE_MS || s->keepalive == 0)
        s->keepalive = keepalive;
    if (s->connect_timeout <= 0)
        s->connect_timeout = s->target->connect_timeout;
    take_ms(s->target, "connect_timeout", &s->connect_timeout);
    return identity ? put_identity(s, identity, e) : 0;
}
