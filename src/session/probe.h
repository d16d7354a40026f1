/* SPDX-License-Identifier: MIT */
/* One login with the stock client. */
#ifndef SESSION_PROBE_H
#define SESSION_PROBE_H

#include <session/session.h>

/* The same login through a keeper that makes the TLS, to get its error if TLS fails. */
typedef int probe_again(const struct session *s, struct probe *out, struct err *e);

/* As session_probe(). `again` is not called for a plan that has a keeper; it may be NULL then. */
int probe_run(const struct session *s, probe_again *again, struct probe *out, struct err *e);

#endif
