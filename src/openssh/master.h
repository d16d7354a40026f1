/* The system's ssh as a master: one start of it until it has logged in, and its end. */
#ifndef OPENSSH_MASTER_H
#define OPENSSH_MASTER_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <ssh/ssh.h>

/* Whether there is an ssh, and the program that it asks through; if not, why. */
bool master_can(const struct ssh_settings *s, struct buf *why);
/*
 * Starts it, or takes the user's own that lives (ssh_has_master()), which it never ends. `settled`, once and
 * perhaps at once: it is logged in (NULL), or why not; it has been ended then. After NULL `lost`, once, when
 * it has ended: why.
 */
void master_start(const struct ssh_settings *s, void (*settled)(const struct err *e),
                  void (*lost)(const struct err *e));
/* While it is logged in: its control socket, and the local end of the forward to the socket on the far side
 * (NULL: none). */
const char *master_control(void);
const char *master_forward(void);
/* Why the far side refused a stream just now, in its words; "" where it said nothing. */
void master_stream_reason(struct buf *out);
/* It does not answer any more: ends it; lost() comes. */
void master_doubt(void);
/* Ends it; no callback any more. */
void master_stop(void);

#endif
