/* SPDX-License-Identifier: MIT */
/*
 * Runs `ssh -G`, which resolves the user's ssh_config for the tunnel's host without dialling it. It gets only
 * the tunnel's keys, so that Host and Match blocks apply as for `ssh HOST`. config.c parses its output.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <event/child.h>
#include <event/loop.h>
#include <ssh/config.h>

#define OUTPUT_MOST 262144

static struct child ssh = CHILD_INIT;
static struct buf output = BUF_INIT(OUTPUT_MOST);
static struct timer late;
static struct ssh_settings settings;
static void (*when_read)(const struct ssh_settings *s, const struct err *e);

static void finish(struct err *e, int result)
{
    timer_clear(&late);
    if (result == 0)
        result = ssh_config_override(&settings, e);
    if (result == 0)
        log_trace("ssh", "%s is %s@%s:%u", settings.alias, settings.user, settings.host, settings.port);
    when_read(result < 0 ? NULL : &settings, result < 0 ? e : NULL);
}

static int refused(const char *why, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "ssh -G %s: %s", settings.alias, why);
    return err_hint(e, "make ssh %s work", settings.alias);
}

/* The first line of ssh's stderr is the reason, the others are details. */
static int explain_status(struct err *e)
{
    const char *tail = buf_str(&ssh.stderr_tail), *rest = tail + strcspn(tail, "\n");
    AUTO_FREE(char *, first);
    AUTO_BUF(status, 64);

    first = mem_strndup(tail, (size_t)(rest - tail));
    proc_describe_status(&status, ssh.status);
    (void)refused(*first ? first : buf_str(&status), e);
    (void)err_detail_lines(e, *rest ? rest + 1 : rest);
    return -1;
}

static void printed(struct child *c, const char *bytes, size_t n)
{
    (void)c;
    buf_add(&output, bytes, n);
}

static void ended(struct child *c)
{
    struct err e = ERR_INIT;
    int result;

    if (!WIFEXITED(c->status) || WEXITSTATUS(c->status) != 0)
        result = explain_status(&e);
    else if (!buf_ok(&output))
        result = refused("printed too much", &e);
    else if ((result = ssh_config_parse(&settings, buf_str(&output), output.len, &e)) < 0)
        (void)err_prefix(&e, "ssh -G %s", settings.alias);
    buf_release(&output);
    finish(&e, result);
}

static void ssh_is_late(struct timer *t)
{
    struct err e = ERR_INIT;

    (void)t;
    child_forget(&ssh);
    (void)refused("no answer within the connect timeout", &e);
    e.code = ERR_UNREACHABLE;
    finish(&e, -1);
}

/* Reports that ssh is missing or could not be started, after ssh_config_read() has returned. */
static void finish_later(struct timer *t)
{
    struct err e = ERR_INIT;

    (void)t;
    finish(&e, 0);
}

static void use_defaults(const struct target *target)
{
    ssh_settings_release(&settings);
    ssh_config_defaults(&settings, target_key(target, "host"));
    settings.target = target;
    timer_set(&late, clock_ms(), finish_later);
}

void ssh_options_add(const struct target *target, struct words *argv)
{
    static const char *const options[][2] = {{"port", "-p"}, {"user", "-l"}, {"identity", "-i"}};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const char *value = target_key(target, options[i][0]);
        if (!value)
            continue;
        words_add(argv, options[i][1]);
        words_add(argv, value);
    }
}

static void ask_ssh(const char *path)
{
    /* -N, as for the master: without it, ForkAfterAuthentication in ssh_config is an error. */
    static const char *const options[] = {"-G", "-N", "-T"};
    AUTO_WORDS(argv);
    struct err e = ERR_INIT;

    words_add(&argv, path);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        words_add(&argv, options[i]);
    ssh_options_add(settings.target, &argv);
    words_add(&argv, "--");
    words_add(&argv, settings.alias);
    ssh.printed = printed;
    ssh.ended = ended;
    if (child_start(&ssh, argv.word, NULL, &e) < 0) {
        log_trace("ssh", "%s", e.msg);
        use_defaults(settings.target);
    }
}

void ssh_config_read(const struct target *target,
                     void (*done)(const struct ssh_settings *s, const struct err *e))
{
    AUTO_FREE(char *, path);

    when_read = done;
    ssh_settings_release(&settings);
    path = proc_find("ssh");
    if (!path) {
        log_trace("ssh", "no ssh on PATH: its defaults");
        use_defaults(target);
        return;
    }
    settings = (struct ssh_settings){.target = target,
                                     .alias = mem_strdup(target_key(target, "host")),
                                     .publickey = true,
                                     .keyboard_interactive = true,
                                     .password = true,
                                     .password_prompts = 3};
    timer_set(&late, clock_deadline(target->connect_timeout, CLOCK_NEVER), ssh_is_late);
    ask_ssh(path);
}
