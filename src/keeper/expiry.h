/* SPDX-License-Identifier: MIT */
/* A log warning before the credential of the keeper's clients expires. */
#ifndef KEEPER_EXPIRY_H
#define KEEPER_EXPIRY_H

#include <time.h>

/* Warns 5 minutes before `expires_at`, or at once if that is in less than 5 minutes. */
void expiry_watch(time_t expires_at);

#endif
