/*
 * The guard: the keeper's parent, which does nothing but wait for it. Where the keeper is killed, the guard
 * ends what the keeper has started and removes the sockets that it has made; nobody else could.
 */
#ifndef EVENT_GUARD_H
#define EVENT_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

/* Forks: returns in the child, which is the keeper; the parent becomes the guard and never returns. */
void guard_start(void);

/* Process groups that must not outlive the keeper. */
void guard_owns_group(pid_t group);
void guard_disowns_group(pid_t group);

/* Removes the paths of keeper_owns_path() that are still there; the keeper's own orderly end. */
void guard_remove_paths(void);

#endif
