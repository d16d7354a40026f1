/* SPDX-License-Identifier: MIT */
/* The description has the same fields before and after READY. */
#include "describe.h"

#include <time.h>
#include <unistd.h>

#include "conn.h"
#include "options.h"
#include "tunnels.h"

void describe_forward(struct record *out)
{
    static time_t started;
    AUTO_BUF(route, 1024);

    if (!started)
        started = time(NULL);
    tunnel_describe(&route);
    record_put_str(out, KEEPER_TAG_NAME, opt.name);
    record_put_str(out, KEEPER_TAG_DIGEST, opt.digest);
    record_put_str(out, KEEPER_TAG_LOG, opt.log);
    for (unsigned i = 0; i < opt.listeners; i++)
        local_address_put(out, &opt.listener[i]);
    record_put_str(out, KEEPER_TAG_HOST, opt.target.host);
    record_put_u64(out, KEEPER_TAG_PORT, opt.target.port);
    record_put_str(out, KEEPER_TAG_SOCKET, opt.target.socket);
    if (opt.logs_in) {
        record_put_str(out, KEEPER_TAG_USER, opt.user);
        if (opt.password)
            record_put_secret(out, KEEPER_TAG_SECRET, opt.password);
    }
    record_put_u64(out, KEEPER_TAG_PID, (uint64_t)getpid());
    record_put_str(out, KEEPER_TAG_ROUTE, buf_str(&route));
    record_put_str(out, KEEPER_TAG_STATE, tunnel_is_up() ? "up" : "lost");
    record_put_u64(out, KEEPER_TAG_CONNECTIONS, conn_count());
    record_put_u64(out, KEEPER_TAG_STARTED, (uint64_t)started);
}
