/* SPDX-License-Identifier: MIT */
/* Turns the system ssh's stderr into an error with the same text for both engines. */
#ifndef OPENSSH_STDERR_ERRORS_H
#define OPENSSH_STDERR_ERRORS_H

#include <base/err.h>
#include <ssh/ssh.h>

/* `tail`: whole lines, sanitised. `status`: as waitpid(2) gives it. Always -1. */
int openssh_explain(const struct ssh_settings *s, const char *tail, int status, struct err *e);
/* Appends the lines that are neither ssh's own nor empty: the far side's banner, a ProxyCommand's output. */
void openssh_for_persons(const char *tail, struct buf *out);
/* The same as details of an error. */
void openssh_add_tail(const char *tail, struct err *e);
/* The last reason for which the far side refused a stream; "" if there is none. */
void openssh_stream_reason(const char *tail, struct buf *out);
/* Shows the messages of a successful login that the user should see (added keys), unless the user's LogLevel
 * is below INFO. */
void openssh_say_added(const struct ssh_settings *s, const char *tail);

#endif
