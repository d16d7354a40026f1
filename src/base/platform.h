/* SPDX-License-Identifier: MIT */
/* What differs between systems; one file each, NAME-SYSTEM.c, chosen by the Makefile. */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

#include <stddef.h>
#include <sys/types.h>

/* Forbids core dumps and debuggers of the same user for this process. An exec undoes it. */
void platform_forbid_dump(void);
/* For a child before its exec: it gets SIGTERM when `parent` ends, and exits now if that has already
 * happened. */
void platform_end_with(pid_t parent);
/* Closes every descriptor from `first` on (async-signal-safe). */
void platform_close_from(int first);
/*
 * A descriptor that becomes readable or is hung up when this process ends; -1 with errno. If the system has
 * no such descriptor, it is a pipe whose other end is inherited by what this process execs or runs.
 */
int platform_life(void);
/* Waits until a child has ended, which is then to be reaped, but at most `ms`. Where the system cannot tell,
 * it waits that long. */
void platform_await_end(pid_t child, int ms);
/* Confines a helper: no inherited descriptor but 0-2, no new privileges, SIGTERM when its parent ends. */
void platform_confine(void);
/* The path of the running executable, links resolved. -1: unknown. */
int platform_self_path(char *path, size_t size);

#endif
