/* SPDX-License-Identifier: MIT */
/* Turns the stderr of the system's ssh into an error with the same text for both engines. */
#ifndef OPENSSH_STDERR_ERRORS_H
#define OPENSSH_STDERR_ERRORS_H

#include <base/err.h>
#include <ssh/ssh.h>

/* Sets the error. `tail` is the end of stderr: whole lines, sanitised. `status` is the exit status as from
 * waitpid(2). Always returns -1. */
int openssh_explain(const struct ssh_settings *s, const char *tail, int status, struct err *e);
/* Appends the lines that are neither ssh's own nor empty: the server's banner, or the output of a
 * ProxyCommand. */
void openssh_user_lines(const char *tail, struct buf *out);
/* Adds the lines of openssh_user_lines() as details of an error. */
void openssh_add_tail(const char *tail, struct err *e);
/* Appends the last reason for which the server refused a stream; nothing if there is none. */
void openssh_stream_reason(const char *tail, struct buf *out);
/* Shows the messages of a successful login that the user should see (added keys), unless the user's LogLevel
 * is below INFO. */
void openssh_say_added(const struct ssh_settings *s, const char *tail);

#endif
