/* SPDX-License-Identifier: MIT */
/*
 * The guard: the keeper's parent, which only waits for it. If the keeper is killed, the guard ends the
 * programs that the keeper started and removes the sockets that it made; no other process could.
 */
#ifndef EVENT_GUARD_H
#define EVENT_GUARD_H

/* Forks: returns in the child, the keeper; the parent becomes the guard and never returns. */
void guard_start(void);

/* Paths that must not outlive the keeper, even where it is killed. */
void guard_owns_path(const char *path);
void guard_disowns_path(const char *path);
/* Disowns it, and removes it where it still is what was made: somebody may have put something else there. A
 * socket is to be closed afterwards, as the system may give its number to another file then. */
void guard_removes_path(const char *path);
/* Removes those that are still there; the keeper's own orderly end. */
void guard_remove_paths(void);

#endif
