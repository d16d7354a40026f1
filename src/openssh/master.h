/* SPDX-License-Identifier: MIT */
/* The system's ssh as a master (ssh -M): from its start to its exit. It logs in once, and other connections
 * share its session. */
#ifndef OPENSSH_MASTER_H
#define OPENSSH_MASTER_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <ssh/ssh.h>

/* Returns whether ssh and broker-askpass are installed; if not, `why` is the reason. */
bool master_can(const struct ssh_settings *s, struct buf *why);
/*
 * Starts the master, or uses the user's own running master (ssh_has_master()), which is never ended.
 * `settled` is called once, perhaps before master_start() returns: with NULL when it has logged in, or with
 * the error after it was ended. After NULL, `lost` is called once when the master has ended, with the reason.
 */
void master_start(const struct ssh_settings *s, void (*settled)(const struct err *e),
                  void (*lost)(const struct err *e));
/* While the master is logged in: the path of its control socket, and of the local socket that it forwards to
 * a unix socket on the SSH server (NULL: none). */
const char *master_control(void);
const char *master_forward(void);
/* Appends the SSH server's reason for refusing the last stream; nothing if it gave none. */
void master_stream_reason(struct buf *out);
/* Ends the master because it does not answer any more; lost() is called. */
void master_doubt(void);
/* Ends the master; no callback is called any more. */
void master_stop(void);

#endif
