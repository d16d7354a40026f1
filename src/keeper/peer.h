/* Who is at the other end of a unix socket. */
#ifndef KEEPER_PEER_H
#define KEEPER_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* A process of our own user. False where that cannot be known. */
bool peer_is_us(int fd);
/* Its number; -1 where that cannot be known. */
pid_t peer_pid(int fd);

#endif
