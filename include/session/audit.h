/* SPDX-License-Identifier: MIT */
/* The audit log (key `audit` of [defaults]): which user got which credential, and until when it is valid.
 * There is one line for each credential that is handed out or used; it never contains the secret. */
#ifndef SESSION_AUDIT_H
#define SESSION_AUDIT_H

#include <time.h>

#include <base/err.h>
#include <model/config.h>

struct audit_line {
    const char *profile, *endpoint, *user, *provider; /* NULL: unknown */
    time_t expires;                                   /* 0: does not expire */
};

/* Writes the line to the place that the config names; does nothing for `none`. ERR_IO if it cannot be
 * written, ERR_CONFIG if the config value is invalid: then the caller must not hand out the credential. */
int audit_write(const struct config *c, const struct audit_line *line, struct err *e);

#endif
