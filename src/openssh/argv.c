/* SPDX-License-Identifier: MIT */
/*
 * The command line of a master. About the host it contains only the tunnel's keys; the other options are
 * needed by a master, or prevent the user's ssh_config from changing its behaviour.
 */
#include "argv.h"

#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>

#define FAST "^aes128-gcm@openssh.com"
#define CONTROL_MOST 256

/* If the user has not set Ciphers, the fastest cipher is put first; all of ssh's default lists contain it. It
 * is 1.2 to 1.7 times as fast as the default. */
static const char *const usual_ciphers[] = {
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,"
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,"
    "aes256-ctr",
};

static void add(struct words *argv, const char *option, const char *value)
{
    words_add(argv, option);
    if (value)
        words_add(argv, value);
}

static void add_seconds(struct words *argv, const char *key, int64_t ms)
{
    words_add(argv, "-o");
    words_take(argv, mem_printf("%s=%lld", key, (long long)(ms + 999) / 1000));
}

/* ssh expands tokens (%) in ControlPath. */
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
    static const char *const fixed[] = {
        "-M",
        "-N",
        "-T",
        "-x",
        "-a",
        "-o",
        "ControlPersist=no",
        "-o",
        "ClearAllForwardings=yes",
        /* Makes ssh exit if a changed host key would otherwise only disable its forwards. */
        "-o",
        "ExitOnForwardFailure=yes",
        "-o",
        "RemoteCommand=none",
        "-o",
        "StreamLocalBindMask=0177",
    };
    static const char *const given[][2] = {{"port", "-p"}, {"user", "-l"}, {"identity", "-i"}};

    words_take(argv, proc_find("ssh"));
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        words_add(argv, fixed[i]);
    if (s->has_fork_option)
        add(argv, "-o", "ForkAfterAuthentication=no");
    /* Only at this level ssh reports the end of the key exchange. */
    add(argv, "-o", "LogLevel=DEBUG1");
    add(argv, "-S", NULL);
    words_take(argv, without_tokens(control));
    add_seconds(argv, "ServerAliveInterval", s->keepalive / SSH_LOOKS);
    words_add(argv, "-o");
    words_take(argv, mem_printf("ServerAliveCountMax=%d", SSH_LOOKS));
    /* Behind a proxy the connection may have to wait for the user. */
    if (!s->proxy_jump && !s->proxy_command)
        add_seconds(argv, "ConnectTimeout", s->connect_timeout);
    if (is_usual(s->ciphers))
        add(argv, "-o", "Ciphers=" FAST);
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        if (target_key(s->target, given[i][0]))
            add(argv, given[i][1], target_key(s->target, given[i][0]));
    }
    /* Otherwise ssh would offer the agent's keys first. */
    if (target_key(s->target, "identity"))
        add(argv, "-o", "IdentitiesOnly=yes");
    add(argv, "--", s->alias);
}
