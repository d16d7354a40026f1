/* Who is at the other end of a connection on this machine. */
#ifndef KEEPER_PEER_H
#define KEEPER_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* A process of our own user. False where that cannot be known, and for another machine's. */
bool peer_is_us(int fd);
/* Of a unix socket: its number; -1 where that cannot be known. */
pid_t peer_pid(int fd);

#endif
