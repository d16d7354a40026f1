/* SPDX-License-Identifier: MIT */
/* Resource limits of other processes, if the system allows to set them from outside. */
#ifndef EVENT_LIMIT_H
#define EVENT_LIMIT_H

#include <sys/types.h>

/* Gives the child process `pid` the keeper's own limit of descriptors. */
void limit_raise_descriptors(pid_t pid);

#endif
