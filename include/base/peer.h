/* SPDX-License-Identifier: MIT */
/* Finds out which user's process is at the other end of a connection on this machine. */
#ifndef BASE_PEER_H
#define BASE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* Returns true if the peer is a process of our own user. Returns false if that cannot be determined, or if
 * the peer is on another machine. */
bool peer_is_us(int fd);
/* Returns true if a TCP socket is bound to a loopback address: only this machine can connect to it. */
bool peer_is_local(int fd);
/*
 * For a connection that we made to a loopback address: returns true, with *uid, if a process of a user other
 * than us and root serves it. Returns false if that cannot be determined, as for a container's port or a
 * redirected connection.
 */
bool peer_is_other_user(int fd, unsigned *uid);
/* Gets the user and process that created or listened on the other end of a connected unix socket. Returns -1
 * if they cannot be determined. */
int peer_of_socket(int fd, uid_t *uid, pid_t *pid);

#endif
