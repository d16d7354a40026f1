/* SPDX-License-Identifier: MIT */
/*
 * For tests of what is made of a profile: the profile is config text, the facts are given, nothing is looked
 * up. A plan, or the refusal of one, becomes text, so that a table of texts is the test.
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
/* A literal where the struct wants its own string; these facts are never released. */
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

/* Config text becomes the one config file, which lies in memory; the environment has nothing of ours. */
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

/* `where`: a URL, or the name of a profile of the text. */
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
