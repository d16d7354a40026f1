/* SPDX-License-Identifier: MIT */
/* The first steps of every verb that works on one profile: open the session, make the plan, check --log. */
#include "begin.h"

#include <stdio.h>
#include <string.h>

#include <base/file.h>
#include <base/mem.h>

int begin(struct invocation *inv, struct session *s, struct err *e)
{
    return begin_word(inv, inv->verb->request_word, s, e);
}

int begin_word(struct invocation *inv, size_t word, struct session *s, struct err *e)
{
    struct request r;

    if (invocation_request(inv, word, &r, e) < 0)
        return -1;
    int opened = session_open(s, &r, e);
    s->credential.wants_fresh = inv->given[OPT_fresh];
    if (s->label)
        (void)snprintf(inv->label, sizeof inv->label, "%s", s->label);
    return opened;
}

int begin_plan(struct invocation *inv, struct session *s, enum purpose purpose, const char *client,
               struct err *e)
{
    if (begin(inv, s, e) < 0)
        return -1;
    return session_plan(s, purpose, client, inv->given[OPT_dry_run], e);
}

int begin_log(struct invocation *inv, const char **path, struct err *e)
{
    AUTO_FD(fd);

    *path = NULL;
    if (!inv->value[OPT_log] || inv->given[OPT_dry_run])
        return 0;
    words_take(&inv->owned, path_absolute(inv->value[OPT_log]));
    *path = inv->owned.word[inv->owned.count - 1];
    fd = file_open_log(*path, e);
    return fd < 0 ? err_what(e, "--log %s", *path) : 0;
}

void print_plan(const struct session *s, char *const *args)
{
    AUTO_BUF(text, 262144);
    AUTO_BUF(clean, 262144);

    plan_print(&s->plan, args, &text);
    text_sanitise(&clean, buf_str(&text), text.len);
    (void)fputs(buf_str(&clean), stdout);
}
