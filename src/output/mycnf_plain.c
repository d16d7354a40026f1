/* SPDX-License-Identifier: MIT */
/*
 * Writes an option file for drivers and scripts: PyMySQL, configparser, Go's. They read only [client], follow
 * no includes, and take quotes as part of the value. With CA certificates PyMySQL verifies chain and name; it
 * has no option for the levels in between.
 */
#include "write.h"

/* Line ends, and characters that the clients' own reader takes as an escape and the other readers do not. */
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
                                          .ascii_password = true, /* PyMySQL sends the password as Latin-1 */
                                          .levels =
                                              LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(VERIFY_IDENTITY),
                                          .carries = CARRIES_ALL & ~(unsigned)CARRIES_VERSION,
                                          .not_in_user = UNESCAPED,
                                          .not_in_password = UNESCAPED,
                                          .not_in_database = UNESCAPED,
                                          .not_in_path = UNESCAPED,
                                          .write = mycnf_plain_write};
