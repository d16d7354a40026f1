/* SPDX-License-Identifier: MIT */
/* Text from others while the route is opened: a bastion's banner, a program's stderr. The user may have to
 * act on it (open a page, approve on a phone), so it is shown on a terminal once the wait exceeds a second.
 */
#ifndef TUNNEL_TELL_H
#define TUNNEL_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <tunnel/target.h>

/* Begins a wait: gather() appends all text so far, sanitised, in whole lines; each is shown once, with
 * "(WHOSE) " in front. Nothing is shown after READY, or if there is no terminal. */
void tell_begin(const char *whose, const struct target *target, void (*gather)(struct buf *out));
/* Shows the text now, for example before a question. */
void tell_now(void);
/* Ends the wait: nothing more is shown. */
void tell_end(void);
/* A program asks on the terminal. */
void tell_asked(void);
/* At its deadline: where something was said to a person, or asked, the wait may last login_timeout from its
 * beginning. *deadline is moved, once, before READY; false: it is not. */
bool tell_gives_time(int64_t *deadline);

#endif
