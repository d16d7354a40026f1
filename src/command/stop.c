/* SPDX-License-Identifier: MIT */
/* broker stop: ends a forward and waits until it has ended. If it is not running, that counts as success. */
#include "command.h"

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <session/forward.h>

static int64_t deadline_of(const struct invocation *inv)
{
    return inv->timeout_ms ? clock_deadline(inv->timeout_ms, CLOCK_NEVER) : CLOCK_NEVER;
}

/* Stops all forwards, even if one fails, and returns the first error. */
static int stop_all(int64_t deadline, struct err *e)
{
    struct forward *list;
    size_t n;
    int result = forward_list(&list, &n, CLOCK_NEVER, e);

    for (size_t i = 0; i < n; i++) {
        struct err other = ERR_INIT;
        if (forward_stop(list[i].name, deadline, result < 0 ? &other : e) < 0)
            result = -1;
    }
    forward_list_free(list, n);
    return result;
}

static int which(struct err *e)
{
    AUTO_BUF(names, 4000);
    struct forward *list;
    struct err ignored = ERR_INIT;
    size_t n;

    (void)forward_list(&list, &n, CLOCK_NEVER, &ignored);
    for (size_t i = 0; i < n; i++)
        buf_printf(&names, i ? " %s" : "%s", list[i].name);
    forward_list_free(list, n);
    (void)err_set(e, ERR_USAGE, "which forward?");
    if (n)
        (void)err_detail(e, "%s", buf_str(&names));
    return err_hint(e, "broker stop NAME, or broker stop --all");
}

static int stop_run(struct invocation *inv, struct err *e)
{
    const char *name = inv->word[0];

    if (inv->given[OPT_all] && name) {
        (void)err_set(e, ERR_USAGE, "--all goes without a name");
        return err_hint(e, "broker stop --all");
    }
    if (inv->given[OPT_all])
        return stop_all(deadline_of(inv), e);
    if (!name)
        return which(e);
    int ran = forward_stop(name, deadline_of(inv), e);
    if (ran == 0)
        log_note("no forward '%s' is running", name);
    return ran < 0 ? -1 : 0;
}

const struct verb verb_stop = {
    .name = "stop",
    .usage = "NAME|--all [OPTION]...",
    .summary = "end a forward",
    .about = "End a forward and the connections through it.",
    .group = GROUP_MANAGE,
    .examples = {"broker stop prod", "broker stop --all"},
    .sets = SET_RUN | SET_SHOW,
    .most_words = 1,
    .ends = true,
    .words = "forward",
    .run = stop_run,
};
