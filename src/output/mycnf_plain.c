/* SPDX-License-Identifier: MIT */
/*
 * An option file for drivers and scripts: PyMySQL, configparser, Go's. They read [client] alone, include
 * nothing, and take quotes for part of the value unless they are needed. Authorities make PyMySQL verify
 * chain and name; it has no word for the levels between.
 */
#include "write.h"

/* What the clients' own reader takes for the start of an escape, and the others do not; and the ends of
 * lines. */
#define UNESCAPED "\\\n\r\t\b"

static int mycnf_plain_write(const struct connection *c, const struct format_how *how, struct buf *out,
                             struct err *e)
{
    if (client_params_plain(c, how->masked, out, e) < 0)
        return -1;
    put_expiry(out, c);
    return 0;
}

const struct format format_mycnf_plain = {.name = "mycnf-plain",
                                          .ascii_password = true, /* PyMySQL sends Latin-1 */
                                          .levels =
                                              LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(VERIFY_IDENTITY),
                                          .carries = CARRIES_ALL & ~(unsigned)CARRIES_VERSION,
                                          .not_in_user = UNESCAPED,
                                          .not_in_password = UNESCAPED,
                                          .not_in_database = UNESCAPED,
                                          .not_in_path = UNESCAPED,
                                          .write = mycnf_plain_write};
