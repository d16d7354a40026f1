/* SPDX-License-Identifier: MIT */
/* What a forward would take in the place of the way that a session has: `test` tries it. */
#include <session/session.h>

#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>

#include "server_error.h"
#include "way.h"

static bool forward_takes_other(const struct session *s)
{
    const char *engine = profile_tunnel_str(&s->profile, TUNNEL_ssh_engine);
    AUTO_FREE(char *, ssh);

    ssh = proc_find("ssh");
    return s->way && (!engine || text_equal(engine, "auto")) && text_ends(s->way->text, ", libssh2") && ssh;
}

int session_try_forward(struct session *s, char **detail, struct err *e)
{
    struct local_end end = {.kind = KEEPER_END_BYTES, .host = (char *)(uintptr_t) "127.0.0.1"};
    struct way_request want = {.lasts = true, .end = {end}, .ends = 1};
    __attribute__((cleanup(way_release))) struct way way = WAY_INIT;

    *detail = NULL;
    if (!forward_takes_other(s))
        return 0;
    if (s->way->asked) {
        log_note("note: forward takes the system's ssh, which is not tried: you would be asked again");
        return 0;
    }
    if (way_open(&s->profile, &s->plan, &want, s->deadline, &way, e) < 0)
        return server_error_of_way(&s->plan, e);
    *detail = mem_printf("%.*s, by the system's ssh as for forward", (int)strcspn(way.text, ","), way.text);
    way_stop(&way);
    return 0;
}
