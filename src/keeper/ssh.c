/* SPDX-License-Identifier: MIT */
/*
 * The tunnel kind `ssh`: reads the settings and chooses the engine. libssh2, in this process, starts fast and
 * uses few resources; the system's ssh supports everything else. The choice is made before any attempt to log
 * in, so that a server does not count an attempt twice.
 */
#include <ssh/ssh.h>

#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <ssh/config.h>

#define REASON_MOST 512

static const struct target *target;
static void (*when_opened)(const struct err *e);
static const struct ssh_settings *settings;
static const struct ssh_engine *engine;
static struct buf reason = BUF_INIT(REASON_MOST); /* why the first engine is not used */

static void engine_opened(const struct err *e, const char *why);

static void open_engine(const struct ssh_engine *chosen)
{
    engine = chosen;
    log_trace("ssh", "%s%s%s", engine->name, reason.len ? ": " : "", buf_str(&reason));
    engine->open(settings, engine_opened);
}

/* Another engine may be tried if no login was attempted yet. */
static void engine_opened(const struct err *e, const char *why)
{
    struct err own = ERR_INIT;

    if (e || !why) {
        when_opened(e);
        return;
    }
    if (engine == &ssh_libssh2 && !text_equal(target_key(target, "ssh_engine"), "libssh2")) {
        buf_clear(&reason);
        buf_puts(&reason, why);
        open_engine(&ssh_openssh);
        return;
    }
    (void)err_set(&own, ERR_CONFIG, "%s does not support it: %s", engine->name, why);
    (void)err_hint(&own, "ssh_engine = auto");
    when_opened(&own);
}

/* Returns whether known_hosts requires host certificates, in addition to the settings. */
static bool wants_certificate(void)
{
    AUTO_WORDS(types);
    bool authority = false;

    host_key_types(settings, &types, &authority);
    return authority;
}

static bool can_in_process(void)
{
    if (ssh_has_master(settings))
        buf_puts(&reason, "your ControlMaster");
    else if (settings->beyond)
        buf_puts(&reason, settings->beyond);
    else if (wants_certificate())
        buf_puts(&reason, "a host certificate");
    else
        return ssh_libssh2.can(settings, &reason);
    return false;
}

/* The openssh engine starts more slowly, but has two to four times the throughput. */
static bool takes_openssh_for_bulk(const char *wanted)
{
    AUTO_BUF(missing, REASON_MOST);

    if (!target->lasts || text_equal(wanted, "libssh2") || !ssh_openssh.can(settings, &missing))
        return false;
    buf_clear(&reason);
    buf_puts(&reason, "a forward");
    return true;
}

static void settings_read(const struct ssh_settings *s, const struct err *e)
{
    const char *wanted = target_key(target, "ssh_engine");
    AUTO_BUF(missing, REASON_MOST);

    if (e) {
        when_opened(e);
        return;
    }
    settings = s;
    if (text_equal(wanted, "openssh") && !ssh_openssh.can(settings, &missing)) {
        struct err own = ERR_INIT;
        engine = &ssh_openssh;
        (void)err_set(&own, ERR_CONFIG, "ssh_engine = openssh: %s", buf_str(&missing));
        (void)err_hint(&own, "install OpenSSH's client, or ssh_engine = auto");
        when_opened(&own);
    } else if (text_equal(wanted, "openssh")) {
        buf_puts(&reason, "ssh_engine");
        open_engine(&ssh_openssh);
    } else if (can_in_process()) {
        open_engine(takes_openssh_for_bulk(wanted) ? &ssh_openssh : &ssh_libssh2);
    } else if (text_equal(wanted, "libssh2") || !ssh_openssh.can(settings, &missing)) {
        engine = &ssh_libssh2;
        struct err own = ERR_INIT;
        (void)err_set(&own, ERR_CONFIG, "libssh2 does not support it: %s", buf_str(&reason));
        (void)err_hint(&own, missing.len ? "%s: install OpenSSH's client" : "ssh_engine = auto",
                       buf_str(&missing));
        when_opened(&own);
    } else {
        open_engine(&ssh_openssh);
    }
}

static void ssh_open(const struct target *t, void (*opened)(const struct err *e))
{
    target = t;
    when_opened = opened;
    ssh_config_read(t, settings_read);
}

static void ssh_handoff(struct handoff *j)
{
    engine->handoff(j);
}

static void ssh_cancel(struct handoff *j)
{
    engine->cancel(j);
}

static bool ssh_heard(struct handoff *j)
{
    return engine->heard(j);
}

static bool ssh_is_up(void)
{
    return engine && engine->is_up();
}

static void ssh_describe(struct buf *out)
{
    if (!settings || !engine) {
        buf_printf(out, "ssh %s", target_key(target, "host"));
        return;
    }
    buf_printf(out, "ssh %s@%s, %s", settings->user, ssh_where(settings), engine->name);
    if (reason.len && engine == &ssh_openssh)
        buf_printf(out, ": %s", buf_str(&reason));
}

static void ssh_close(void)
{
    if (engine)
        engine->close();
}

const struct tunnel_kind tunnel_ssh = {.name = "ssh",
                                       .open = ssh_open,
                                       .handoff = ssh_handoff,
                                       .cancel = ssh_cancel,
                                       .heard = ssh_heard,
                                       .is_up = ssh_is_up,
                                       .describe = ssh_describe,
                                       .close = ssh_close};
