/* SPDX-License-Identifier: MIT */
/* An anonymous file in memory, for what another program must read but must never be on a disk. */
#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

#include <base/err.h>
#include <base/secret.h>

/* A descriptor (close-on-exec, mode 0600, offset 0) of a file that holds the bytes; -1 with ERR_IO. */
int memfd_from_secret(const struct secret *s, struct err *e);

/*
 * The same, but a pre-filled pipe if the bytes fit into one. A pipe is empty once it is read, so the reader's
 * own children find nothing.
 */
int pipe_from_secret(const struct secret *s, struct err *e);

#endif
