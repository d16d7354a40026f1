/* SPDX-License-Identifier: MIT */
/* Errors of SSH tunnels that both engines share. Errors about host keys are in host_key.c. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <ssh/ssh.h>

/* Uses the name that the user wrote, not the one that ssh dials, because the user finds that name in
 * ssh_config. */
const char *ssh_try(const struct ssh_settings *s)
{
    static struct buf command = BUF_INIT(1024);
    const char *port = target_key(s->target, "port");
    AUTO_BUF(whom, 512);

    buf_printf(&whom, "%s@%s", s->user, s->alias);
    buf_clear(&command);
    buf_puts(&command, "ssh ");
    if (port)
        buf_printf(&command, "-p %s ", port);
    text_quote_sh(&command, buf_str(&whom));
    return buf_str(&command);
}

const char *ssh_who(const struct ssh_settings *settings)
{
    static char who[512];

    (void)snprintf(who, sizeof who, "%s@%s", settings->user, settings->host);
    return who;
}

bool ssh_is_quiet(const struct ssh_settings *s)
{
    return text_equal(s->log_level, "QUIET") || text_equal(s->log_level, "FATAL") ||
           text_equal(s->log_level, "ERROR");
}

const char *ssh_where(const struct ssh_settings *s)
{
    static struct buf text = BUF_INIT(300);

    buf_clear(&text);
    text_address(&text, s->host, s->port);
    return buf_str(&text);
}

int ssh_hint_login(const struct ssh_settings *s, struct err *e)
{
    const char *name = target_key(s->target, "name");
    AUTO_BUF(where, 128);

    if (name)
        buf_printf(&where, "set identity in [tunnel %s]", name);
    else
        buf_puts(&where, "give -o tunnel.identity=FILE");
    return err_hint(e, "make %s work, or %s", ssh_try(s), buf_str(&where));
}

int ssh_silent(const struct ssh_settings *s, struct err *e)
{
    AUTO_BUF(time, 32);

    clock_format_duration(&time, s->connect_timeout);
    (void)err_set(e, ERR_UNREACHABLE, "%s: no answer within %s", ssh_where(s), buf_str(&time));
    return err_hint(e, "try %s, or raise connect_timeout of the tunnel", ssh_try(s));
}

void ssh_add_wrong(const char *path, size_t n, unsigned times, struct err *e)
{
    AUTO_FREE(char *, whole);
    AUTO_FREE(char *, shown);

    whole = mem_strndup(path, n);
    shown = path_short(whole);
    (void)err_detail(e, "key %s: %u wrong passphrase%s", shown, times, times == 1 ? "" : "s");
}

int ssh_not_let_in(const struct ssh_settings *s, struct err *e)
{
    AUTO_BUF(time, 32);

    clock_format_duration(&time, s->target->login_timeout);
    (void)err_set(e, ERR_UNREACHABLE, "%s: not logged in within %s", ssh_who(s), buf_str(&time));
    return err_hint(e, "try %s, or raise login_timeout", ssh_try(s));
}

static bool mentions(const char *words, const char *const *list)
{
    for (; *list; list++) {
        if (strstr(words, *list))
            return true;
    }
    return false;
}

/* Adds a hint if the SSH server cannot reach the database. Returns -1. */
static int hint_far(const struct ssh_settings *s, struct err *e)
{
    if (s->target->socket)
        return err_hint(
            e,
            "check socket: it is a path on %s, whose sshd_config must allow it: AllowStreamLocalForwarding",
            s->host);
    return err_hint(e, "check host and port: %s connects to them", s->host);
}

void ssh_silent_stream(const struct ssh_settings *s, struct err *e)
{
    AUTO_BUF(time, 32);

    clock_format_duration(&time, s->target->connect_timeout);
    (void)err_set_numbered(e, ERR_UNREACHABLE, 2013, "%s: no answer within %s", target_name(s->target),
                           buf_str(&time));
    (void)hint_far(s, e);
}

int ssh_refused_stream(const struct ssh_settings *s, const char *words, struct err *e)
{
    static const char *const unknown[] = {"ame or service not known", "No address associated",
                                          "nodename nor servname", "emporary failure in name", NULL};
    static const char *const forbidden[] = {"prohibited", "not permitted", NULL};
    static const char *const parts[] = {"open failed: ", "connect failed: "};
    const char *bastion = s->host;

    words = words ? words : "";
    if (s->target->host && mentions(words, unknown)) {
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2005, "%s: no such host", s->target->host);
        return err_hint(e, "check host: %s looks it up", bastion);
    }
    if (mentions(words, forbidden)) {
        (void)err_set_numbered(e, ERR_REFUSED, 2003, "%s: %s: %s", target_name(s->target), bastion, words);
        if (s->target->socket)
            return hint_far(s, e);
        return err_hint(
            e, "%s must allow it: AllowTcpForwarding and PermitOpen in its sshd_config, or the key's options",
            bastion);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        words += text_starts(words, parts[i]) ? strlen(parts[i]) : 0;
    if (*words)
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2003, "%s: %c%s", target_name(s->target),
                               tolower((unsigned char)*words), words + 1);
    else
        (void)err_set_numbered(e, ERR_UNREACHABLE, 2003, "%s: %s cannot reach it", target_name(s->target),
                               bastion);
    return hint_far(s, e);
}
