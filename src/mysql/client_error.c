/* SPDX-License-Identifier: MIT */
/* Only the last error is stored, because broker starts one client at a time. */
#include <mysql/client_error.h>

#include <stdlib.h>

#include <base/mem.h>
#include <ipc/keeper.h>

#include "packet.h"

static char *told_as;
static struct err last;

void told_mark(char *mark)
{
    free(told_as);
    told_as = mark;
    err_clear(&last);
}

const struct err *told_last(void)
{
    return last.code ? &last : NULL;
}

void told_put(struct buf *out, uint8_t sequence, const struct err *e)
{
    AUTO_FREE(char *, text);

    if (!told_as) {
        packet_put_error(out, sequence, e);
        return;
    }
    err_copy(&last, e);
    text = mem_printf("%s%s", KEEPER_MARKED, told_as);
    packet_put_refusal(out, sequence, ERROR_UNKNOWN, text);
}
