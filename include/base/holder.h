/* SPDX-License-Identifier: MIT */
/* Finds the process that holds a listening address, for the error "address in use". */
#ifndef BASE_HOLDER_H
#define BASE_HOLDER_H

#include <sys/socket.h>
#include <sys/types.h>

/* Returns "mysqld (pid 812)" for the process that listens on this TCP address, malloced. Returns NULL if it
 * belongs to another user or cannot be seen. */
char *holder_of_address(const struct sockaddr *address);

#endif
