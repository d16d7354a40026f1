/* SPDX-License-Identifier: MIT */
/* Writes an option file with the option names of the client's family. */
#include "write.h"

static int mycnf_write(const struct connection *c, const struct format_how *how, struct buf *out,
                       struct err *e)
{
    if (client_params_file(c, how->flavour, how->masked, out, e) < 0)
        return -1;
    put_expiry(out, c);
    return 0;
}

const struct format format_mycnf = {
    .name = "mycnf", .flavoured = true, .levels = LEVELS_ALL, .carries = CARRIES_ALL, .write = mycnf_write};
