/* SPDX-License-Identifier: MIT */
/* No tunnel: dials the endpoint itself. Used if the keeper sets up TLS instead of the client. */
#include <stddef.h>

#include <base/buf.h>

#include "dial_stream.h"

static const struct target *target;

static void direct_open(const struct target *t, void (*opened)(const struct err *e))
{
    target = t;
    opened(NULL);
}

static void direct_dial(struct dial *d)
{
    stream_dial(d, target, target->socket, target->host, target->port, NULL);
}

static void direct_describe(struct buf *out)
{
    buf_printf(out, "direct, %s", target_name(target));
}

const struct tunnel_kind tunnel_direct = {.name = "direct",
                                          .open = direct_open,
                                          .dial = direct_dial,
                                          .undial = stream_undial,
                                          .describe = direct_describe};
