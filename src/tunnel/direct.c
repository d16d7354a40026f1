/* No tunnel: the endpoint itself is dialled, for TLS that the client cannot make. */
#include <base/buf.h>
#include <keeper/keeper.h>

#include "dial_stream.h"

static void direct_dial(struct dial *d)
{
    stream_dial(d, opt.socket, opt.host, opt.port, NULL);
}

static void direct_describe(struct buf *out)
{
    buf_printf(out, "direct, %s", options_endpoint());
}

const struct tunnel_kind tunnel_direct = {
    .name = "direct", .dial = direct_dial, .undial = stream_undial, .describe = direct_describe};
