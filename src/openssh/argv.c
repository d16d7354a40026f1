/* SPDX-License-Identifier: MIT */
/*
 * The command line of a master. About the host it contains only the tunnel's keys; the other options are
 * required for a master, or prevent the user's ssh_config from changing its behaviour.
 */
#include "argv.h"

#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ssh/config.h>

#define FAST "^aes128-gcm@openssh.com"
#define CONTROL_MOST 256

/* If the user has not set Ciphers, the fastest cipher is put first; it is contained in all of ssh's default
 * lists, and 1.2 to 1.7 times as fast as the default. */
static const char *const usual_ciphers[] = {
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,"
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,"
    "aes256-ctr",
};

/* Adds ssh's option -o KEY=VALUE. */
static void add(struct words *argv, const char *setting)
{
    words_add(argv, "-o");
    words_add(argv, setting);
}

static void add_number(struct words *argv, const char *key, int64_t n)
{
    words_add(argv, "-o");
    words_take(argv, mem_printf("%s=%lld", key, (long long)n));
}

static int64_t seconds(int64_t ms)
{
    return (ms + 999) / 1000;
}

/* Escapes a path, because ssh expands tokens (%) in ControlPath. */
static char *without_tokens(const char *path)
{
    AUTO_BUF(out, CONTROL_MOST);

    for (; *path; path++) {
        if (*path == '%')
            buf_putc(&out, '%');
        buf_putc(&out, *path);
    }
    return buf_take(&out);
}

static bool is_usual(const char *ciphers)
{
    for (size_t i = 0; i < ARRAY_LEN(usual_ciphers); i++) {
        if (text_equal(ciphers, usual_ciphers[i]))
            return true;
    }
    return false;
}

void openssh_command(const struct ssh_settings *s, const char *control, struct words *argv)
{
    static const char *const flags[] = {"-M", "-N", "-T", "-x", "-a"};
    static const char *const fixed[] = {
        "ControlPersist=no",
        "ClearAllForwardings=yes",
        /* Makes ssh exit if a changed host key would otherwise only disable its forwards. */
        "ExitOnForwardFailure=yes",
        "RemoteCommand=none",
        "StreamLocalBindMask=0177",
        /* ssh reports the end of the key exchange only at this level. */
        "LogLevel=DEBUG1",
    };

    words_take(argv, proc_find("ssh"));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        words_add(argv, flags[i]);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        add(argv, fixed[i]);
    if (s->has_fork_option)
        add(argv, "ForkAfterAuthentication=no");
    words_add(argv, "-S");
    words_take(argv, without_tokens(control));
    add_number(argv, "ServerAliveInterval", seconds(s->keepalive / SSH_LOOKS));
    add_number(argv, "ServerAliveCountMax", SSH_LOOKS);
    /* With a proxy the connection may have to wait for the user. */
    if (!s->proxy_jump && !s->proxy_command)
        add_number(argv, "ConnectTimeout", seconds(s->connect_timeout));
    if (is_usual(s->ciphers))
        add(argv, "Ciphers=" FAST);
    ssh_options_add(s->target, argv);
    /* Otherwise ssh would offer the agent's keys first. */
    if (target_key(s->target, "identity"))
        add(argv, "IdentitiesOnly=yes");
    words_add(argv, "--");
    words_add(argv, s->alias);
}
