/* SPDX-License-Identifier: MIT */
/* An anonymous file in memory, for data that another program must read but that must never be written to a
 * disk. */
#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

#include <base/err.h>
#include <base/secret.h>

/* Returns a descriptor (close-on-exec, mode 0600, offset 0) of an anonymous file that holds the bytes; -1
 * with ERR_IO. */
int memfd_from_secret(const struct secret *s, struct err *e);

/* Like memfd_from_secret(), but returns a pre-filled pipe if the bytes fit into one. A pipe is empty after it
 * has been read, so child processes of the reader cannot read the secret again. */
int pipe_from_secret(const struct secret *s, struct err *e);

#endif
