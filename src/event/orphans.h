/*
 * What a program has put into the background: a process whose parent has ended becomes a child of the nearest
 * subreaper, which is the keeper, or the guard once that is gone. No process group tells where it came from.
 * A master of ssh that the user's own ControlPersist keeps is left alone: it may carry more than our
 * connection.
 */
#ifndef EVENT_ORPHANS_H
#define EVENT_ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

/* Says which process groups are not theirs. NULL: every child of this process is an orphan. */
typedef bool orphans_not(pid_t group);

/* Whether there is one that has not ended. */
bool orphans_exist(orphans_not *is_known);
/* Each gets TERM, and KILL after 2 s; and so do those that come to us when their parents end by that. The
 * first returns at once, the second when they have ended, after 4 s at most. */
void orphans_end(orphans_not *is_known);
void orphans_end_now(orphans_not *is_known);

#endif
