/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection on this machine. */
#ifndef BASE_PEER_H
#define BASE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* A process of our own user. False where that cannot be known, and for another machine's. */
bool peer_is_us(int fd);
/* Of a connection that we have made to a loopback address: whether a process of another user serves it, and
 * not root's. False where that cannot be seen: a container's end, one that the system redirects. */
bool peer_is_stranger(int fd, unsigned *uid);
/* Of a connected unix socket: who made the other end, or listened there. -1: that cannot be known. */
int peer_of_socket(int fd, uid_t *uid, pid_t *pid);

#endif
