/* SPDX-License-Identifier: MIT */
/* The process that has started us. */
#ifndef SESSION_CALLER_H
#define SESSION_CALLER_H

#include <sys/types.h>

/* The path of a process's program; if that is not ours to see, its name. Malloced; NULL: not known. */
char *caller_program(pid_t pid);

#endif
