/* SPDX-License-Identifier: MIT */
/*
 * For tests of what is derived from a profile: the profile is config text, and the facts about the machine
 * are constants, so that nothing is looked up. Errors are rendered as text, so that a test can be a table of
 * texts.
 */
#ifndef TESTS_PLAN_FIXTURE_H
#define TESTS_PLAN_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/memfd.h>
#include <model/config.h>
#include <session/session.h>

#define FACTS_MYSQL                                                                                          \
    {                                                                                                        \
        .client = {.path = TEXT("/usr/bin/mysql"), .flavour = FLAVOUR_MYSQL}, .ca_file = TEXT("/ca.pem")     \
    }
#define FACTS_MARIADB                                                                                        \
    {                                                                                                        \
        .client = {.path = TEXT("/usr/bin/mariadb"), .flavour = FLAVOUR_MARIADB}, .ca_file = TEXT("/ca.pem") \
    }
/* A literal for a member that normally owns its string; these facts are never released. */
#define TEXT(s) ((char *)(uintptr_t)(s))

struct made {
    struct config *config;
    struct profile profile;
    struct plan plan;
};

static inline void made_release(struct made *m)
{
    plan_release(&m->plan);
    profile_release(&m->profile);
    config_free(m->config);
}
#define AUTO_MADE(name) __attribute__((cleanup(made_release))) struct made name = {0}

/* Loads the text as the only config file, from a memfd. Expects that no other BROKER_* variable is set. */
static inline int load_text(const char *text, struct config **out, struct err *e)
{
    AUTO_FREE(char *, path);
    AUTO_SECRET(bytes);
    AUTO_FD(fd);

    bytes = secret_from(text, strlen(text));
    fd = memfd_from_secret(bytes, e);
    path = mem_printf("/proc/self/fd/%d", fd);
    assert_int_equal(setenv("BROKER_CONFIG", path, 1), 0);
    return config_load(out, e);
}

/* `where` is a URL, or the name of a profile in the text. */
static inline int derive_text(const char *text, const char *where, const struct override *overrides,
                              size_t count, struct made *m, struct err *e)
{
    bool url = strstr(where, "://");

    if (load_text(text, &m->config, e) < 0 ||
        config_resolve(m->config, url ? NULL : where, url ? where : NULL, overrides, count, &m->profile, e) <
            0)
        return -1;
    return session_derive(m->config, url ? where : NULL, overrides, count, &m->profile, e);
}

static inline void error_text(const struct err *e, struct buf *out)
{
    buf_printf(out, "%d: %s\n", (int)e->code, e->msg);
    if (e->hint[0])
        buf_printf(out, "hint: %s\n", e->hint);
}

#endif
