/* SPDX-License-Identifier: MIT */
/* The system's ssh as a master: one start of it until it has logged in, and its exit. */
#ifndef OPENSSH_MASTER_H
#define OPENSSH_MASTER_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <ssh/ssh.h>

/* Whether ssh and its askpass program are installed; if not, why. */
bool master_can(const struct ssh_settings *s, struct buf *why);
/*
 * Starts it, or uses the user's own running master (ssh_has_master()), which it never ends. `settled` is
 * called once, perhaps at once: logged in (NULL), or why not; it has then been ended. After NULL, `lost` is
 * called once when it has ended, with the reason.
 */
void master_start(const struct ssh_settings *s, void (*settled)(const struct err *e),
                  void (*lost)(const struct err *e));
/* While it is logged in: its control socket, and the listener of the forward to the socket on the far side
 * (NULL: none). */
const char *master_control(void);
const char *master_forward(void);
/* The far side's reason for refusing the last stream; "" if it gave none. */
void master_stream_reason(struct buf *out);
/* Ends it because it does not answer any more; lost() is called. */
void master_doubt(void);
/* Ends it; calls no callback any more. */
void master_stop(void);

#endif
