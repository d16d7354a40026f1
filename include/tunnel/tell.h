/* SPDX-License-Identifier: MIT */
/* Shows text from other programs while a tunnel is opened, such as a bastion's banner or a program's stderr.
 * The user may have to act on it (open a page, approve on a phone), so it is shown on a terminal once the
 * wait exceeds a second. */
#ifndef TUNNEL_TELL_H
#define TUNNEL_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <tunnel/target.h>

/* Begins a wait. gather() appends all text so far, sanitised, in whole lines; each line is shown once, after
 * "(WHOSE) ". Nothing is shown after READY, or if there is no terminal. */
void tell_begin(const char *whose, const struct target *target, void (*gather)(struct buf *out));
/* Shows the text now, for example before a question. */
void tell_now(void);
/* Ends the wait: nothing more is shown. */
void tell_end(void);
/* Must be called when a program asks on the terminal. */
void tell_asked(void);
/* Must be called when *deadline has passed, before READY: if the user was shown something or asked, the wait
 * may take login_timeout from its beginning. Then moves *deadline, at most once, and returns true; otherwise
 * returns false. */
bool tell_gives_time(int64_t *deadline);

#endif
