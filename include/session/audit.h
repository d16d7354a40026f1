/* SPDX-License-Identifier: MIT */
/*
 * The audit line (key `audit` of [defaults]): who was given which credential, and until when. One line for
 * each credential that is handed out or used, never the secret.
 */
#ifndef SESSION_AUDIT_H
#define SESSION_AUDIT_H

#include <time.h>

#include <base/err.h>
#include <model/config.h>

struct audit_line {
    const char *profile, *endpoint, *user, *provider; /* NULL: not known */
    time_t expires;                                   /* 0: never */
};

/*
 * Writes the line where the config says; nothing for `none`. ERR_IO if it cannot be written, and ERR_CONFIG
 * for a value that is not a place: the caller then hands nothing out.
 */
int audit_write(const struct config *c, const struct audit_line *line, struct err *e);

#endif
