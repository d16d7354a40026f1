/* SPDX-License-Identifier: MIT */
/* broker version; with -v also what a bug report needs: libraries, paths, platform, build. */
#include "command.h"

#include <jansson.h>
#include <sodium.h>
#include <sys/utsname.h>

#include <base/mem.h>
#include <base/proc.h>
#include <session/libraries.h>

#ifndef __VERSION__
#define __VERSION__ "unknown"
#endif

static void row(struct table *t, const char *what, const char *value)
{
    table_add(t, what);
    table_add(t, value);
}

static void helper_row(void *table, const char *helper, const char *library, const char *version)
{
    AUTO_FREE(char *, what);

    what = library ? mem_printf("%s %s", helper, library) : mem_strdup(helper);
    row(table, what, version);
}

void version_rows(struct table *t)
{
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, platform);
    struct utsname uts = {0};

    folder = proc_self_dir();
    if (uname(&uts) == 0)
        platform = mem_printf("%s %s %s", uts.sysname, uts.release, uts.machine);
    row(t, "program", folder);
    row(t, "platform", platform);
    row(t, "compiler", __VERSION__);
    row(t, "libsodium", sodium_version_string());
    row(t, "jansson", JANSSON_VERSION);
    libraries_ask(helper_row, t);
}

static int version_run(struct invocation *inv, struct err *e)
{
    AUTO_TABLE(t, 2);

    (void)e;
    (void)puts("broker " BROKER_VERSION);
    if (!inv->given[OPT_verbose])
        return 0;
    version_rows(&t);
    table_print(&t, stdout);
    return 0;
}

const struct verb verb_version = {
    .name = "version",
    .usage = "[-v]",
    .summary = "versions and paths; bugreport collects them",
    .about = "Print the version. With -v also the paths, the platform, the compiler and the libraries of "
             "broker and "
             "of its helpers: what a bug report needs.",
    .examples = {"broker version", "broker version -v"},
    .group = GROUP_CONFIGURE,
    .run = version_run,
};
