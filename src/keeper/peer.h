/* Who is at the other end of a unix socket. */
#ifndef KEEPER_PEER_H
#define KEEPER_PEER_H

#include <stdbool.h>

/* A process of our own user. False where that cannot be known. */
bool peer_is_us(int fd);

#endif
