/* SPDX-License-Identifier: MIT */
/* A warning in the log before the credential of the keeper's clients expires. */
#ifndef KEEPER_EXPIRY_H
#define KEEPER_EXPIRY_H

#include <time.h>

/* Warns 5 minutes before that time, or at once if it is nearer. */
void expiry_watch(time_t expires_at);

#endif
