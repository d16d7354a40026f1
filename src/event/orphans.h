/* SPDX-License-Identifier: MIT */
/*
 * Background processes of the programs that the keeper runs. A process whose parent has ended becomes a child
 * of the nearest subreaper: the keeper, or the guard once the keeper is gone. Its process group does not tell
 * which program started it. An ssh master kept by the user's own ControlPersist is left alone, because it may
 * carry other connections.
 */
#ifndef EVENT_ORPHANS_H
#define EVENT_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

/* Returns whether a process group is not orphaned. NULL: every child of this process is an orphan. */
typedef bool orphans_not(pid_t group);

/* Returns whether an orphan is running. */
bool orphans_exist(orphans_not *is_known);
/* Send SIGTERM to each orphan, and SIGKILL after 2 s, also to processes that become orphans meanwhile.
 * orphans_end() returns at once, orphans_end_now() when they have ended, after at most 4 s. */
void orphans_end(orphans_not *is_known);
void orphans_end_now(orphans_not *is_known);

#endif
