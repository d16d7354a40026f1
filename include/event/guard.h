/* SPDX-License-Identifier: MIT */
/*
 * The guard is the keeper's parent process and only waits for it. If the keeper is killed, the guard ends the
 * programs that the keeper started and removes the sockets that it created.
 */
#ifndef EVENT_GUARD_H
#define EVENT_GUARD_H

/* Forks. Returns in the child, which becomes the keeper; the parent becomes the guard and never returns. */
void guard_start(void);

/* Register and unregister a path that must be removed when the keeper ends, even if it is killed. */
void guard_owns_path(const char *path);
void guard_disowns_path(const char *path);
/* Unregisters a path, and removes the file if it is still the one that the keeper created; another process
 * may have replaced it. The caller must close a socket after this call, because the system may then reuse its
 * inode number for another file. */
void guard_removes_path(const char *path);
/* Removes the registered paths that still exist; called when the keeper ends normally. */
void guard_remove_paths(void);

#endif
