/* The local ends: listening, accepting, and their addresses. */
#ifndef KEEPER_LISTENERS_H
#define KEEPER_LISTENERS_H

#include <base/err.h>
#include <ipc/record.h>

/* Binds and listens on all; nothing is accepted yet. ERR_UNREACHABLE where a port or path is taken. Fills in
 * the ports that were free in opt. */
int ends_open(struct err *e);
void ends_accept(void);
void ends_close(void);

/* Listens on a unix socket, mode 0600, owned (keeper_owns_path). -1 with ERR_UNREACHABLE. */
int listen_unix(const char *path, struct err *e);

#endif
