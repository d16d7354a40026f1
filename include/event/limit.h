/* SPDX-License-Identifier: MIT */
/* Resource limits of other processes, where the system lets them be set from outside. */
#ifndef EVENT_LIMIT_H
#define EVENT_LIMIT_H

#include <sys/types.h>

/* Gives that program of ours our own limit of descriptors. */
void limit_raise_descriptors(pid_t pid);

#endif
