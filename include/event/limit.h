/* Resource limits of other processes, where the system lets them be set from outside. */
#ifndef EVENT_LIMIT_H
#define EVENT_LIMIT_H

#include <sys/types.h>

/* As many descriptors as that program of ours may have. */
void limit_raise_descriptors(pid_t pid);

#endif
