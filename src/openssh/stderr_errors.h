/* What the system's ssh has written before it ended, as an error in the words of either engine. */
#ifndef OPENSSH_STDERR_ERRORS_H
#define OPENSSH_STDERR_ERRORS_H

#include <base/err.h>
#include <ssh/ssh.h>

/* `said`: whole lines, sanitised. `status`: as waitpid(2) gives it. Always -1. */
int openssh_explain(const struct ssh_settings *s, const char *said, int status, struct err *e);
/* Adds the lines that are neither ssh's own nor empty: the far side's banner, a ProxyCommand's words. */
void openssh_for_persons(const char *said, struct buf *out);
/* The same as details of an error. */
void openssh_add_said(const char *said, struct err *e);
/* The last reason for which the far side refused a stream; "" where none is said. */
void openssh_stream_reason(const char *said, struct buf *out);
/* Passes on what a person should see of a login that went well, unless the user's LogLevel is below INFO:
 * keys that were added. */
void openssh_say_added(const struct ssh_settings *s, const char *said);

#endif
