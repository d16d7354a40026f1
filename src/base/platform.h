/* What each system does in its own way; one file each, NAME-SYSTEM.c, chosen by the Makefile. */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

#include <stddef.h>
#include <sys/types.h>

/* No core dump and no debugger of the same user for this process. Ends with exec. */
void platform_forbid_dump(void);
/* For a child before its exec: it gets SIGTERM when `parent` ends, and ends here where that has happened. */
void platform_end_with(pid_t parent);
/* Closes every descriptor from `first` on (async-signal-safe). */
void platform_close_from(int first);
/*
 * A descriptor that becomes readable, or is hung up, when this process ends; -1 with errno. Where the system
 * has none for a process, what it ends with is inherited by whatever this process execs, and runs.
 */
int platform_life(void);
/* A helper's confinement: no inherited descriptor but 0-2, no new privileges, SIGTERM when its parent ends.
 */
void platform_confine(void);
/* The path of the running executable, links resolved. -1: unknown. */
int platform_self_path(char *path, size_t size);

#endif
