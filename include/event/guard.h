/*
 * The guard: the keeper's parent, which does nothing but wait for it. Where the keeper is killed, the guard
 * ends what the keeper has started and removes the sockets that it has made; nobody else could.
 */
#ifndef EVENT_GUARD_H
#define EVENT_GUARD_H

/* Forks: returns in the child, which is the keeper; the parent becomes the guard and never returns. */
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
