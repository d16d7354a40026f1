/* SPDX-License-Identifier: MIT */
/* Identifies the process that started us. */
#ifndef SESSION_CALLER_H
#define SESSION_CALLER_H

#include <sys/types.h>

/* Returns the path of a process's program, or only its name if the path may not be read. Malloced; NULL if
 * neither is known. */
char *caller_program(pid_t pid);

#endif
