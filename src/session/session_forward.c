/* SPDX-License-Identifier: MIT */
/* Tries the route that a forward would use if it differs from this session's, for `test`. */
#include <session/session.h>

#include <string.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>

#include "server_error.h"
#include "route.h"

static bool forward_takes_other(const struct session *s)
{
    const char *engine = profile_tunnel_str(&s->profile, TUNNEL_ssh_engine);
    AUTO_FREE(char *, ssh);

    ssh = proc_find("ssh");
    return s->route && (!engine || text_equal(engine, "auto")) && text_ends(s->route->text, ", libssh2") &&
           ssh;
}

int session_try_forward(struct session *s, char **detail, struct err *e)
{
    struct local_address listener = {.kind = LISTENER_BYTES, .host = (char *)(uintptr_t) "127.0.0.1"};
    struct route_request want = {.lasts = true, .listener = {listener}, .listeners = 1};
    __attribute__((cleanup(route_release))) struct route route = ROUTE_INIT;

    *detail = NULL;
    if (!forward_takes_other(s))
        return 0;
    if (s->route->asked) {
        log_note(
            "note: forward uses the system's ssh, which is not tested here, because it would ask you again");
        return 0;
    }
    if (route_open(&s->profile, &s->plan, &want, s->deadline, &route, e) < 0) {
        (void)server_error_of_route(&s->plan, e);
        return err_prefix(e, "the system's ssh, as for forward"); /* the other engine has succeeded */
    }
    *detail =
        mem_printf("%.*s, by the system's ssh as for forward", (int)strcspn(route.text, ","), route.text);
    route_stop(&route);
    return 0;
}
