/* SPDX-License-Identifier: MIT */
/* What differs between operating systems. Each system has files NAME-SYSTEM.c, which the Makefile selects. */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

#include <stddef.h>
#include <sys/types.h>

/* Forbids core dumps of this process, and debuggers of the same user. An exec undoes this. */
void platform_forbid_dump(void);
/* Called in a child before its exec: the child gets SIGTERM when `parent` ends, and exits now if that has
 * already happened. */
void platform_end_with(pid_t parent);
/* Closes all descriptors numbered `first` or higher (async-signal-safe). */
void platform_close_from(int first);
/*
 * Returns a descriptor that becomes readable or is hung up when this process ends; -1 with errno. On a system
 * without such descriptors, it is a pipe whose other end is inherited by the programs that this process execs
 * or runs.
 */
int platform_life(void);
/* Waits until a child has ended, but at most `ms`; the caller then reaps the child. If the system cannot
 * report the end, waits the full time. */
void platform_await_end(pid_t child, int ms);
/* Confines a helper: closes inherited descriptors other than 0 to 2, sets no_new_privs, and has SIGTERM sent
 * when its parent ends. */
void platform_confine(void);
/* Gets the path of the running executable, with symlinks resolved. Returns -1 if it is unknown. */
int platform_self_path(char *path, size_t size);

#endif
