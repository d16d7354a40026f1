/* SPDX-License-Identifier: MIT */
/* Logs in once with the MySQL client, to test a connection. */
#ifndef SESSION_PROBE_H
#define SESSION_PROBE_H

#include <session/session.h>

/* Logs in once more, through a keeper that does TLS, to get the keeper's error if TLS fails. */
typedef int probe_again(const struct session *s, struct probe *out, struct err *e);

/* Does what session_probe() does. `again` is not called if the plan has a keeper, and may be NULL then. */
int probe_run(const struct session *s, probe_again *again, struct probe *out, struct err *e);

#endif
