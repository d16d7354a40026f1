/* SPDX-License-Identifier: MIT */
/* Who holds a listener: for the error that says that it is taken. */
#ifndef BASE_HOLDER_H
#define BASE_HOLDER_H

#include <sys/socket.h>
#include <sys/types.h>

/* "mysqld (pid 812)" of the process that listens there on TCP; malloced. NULL: it is another user's, or
 * hidden. */
char *holder_of_address(const struct sockaddr *address);

#endif
