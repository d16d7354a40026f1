/* SPDX-License-Identifier: MIT */
/*
 * Background processes of the programs that the keeper runs: a process whose parent has ended becomes a child
 * of the nearest subreaper, the keeper, or the guard once the keeper is gone. No process group tells where it
 * came from. An ssh master kept by the user's own ControlPersist is left alone, because it may carry other
 * connections.
 */
#ifndef EVENT_ORPHANS_H
#define EVENT_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

/* Tells which process groups are not orphans. NULL: every child of this process is an orphan. */
typedef bool orphans_not(pid_t group);

/* Whether there is a running orphan. */
bool orphans_exist(orphans_not *is_known);
/* Sends SIGTERM to each, and SIGKILL after 2 s, also to those that become orphans meanwhile. The first
 * returns at once, the second when they have ended, after at most 4 s. */
void orphans_end(orphans_not *is_known);
void orphans_end_now(orphans_not *is_known);

#endif
