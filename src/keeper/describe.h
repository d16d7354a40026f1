/* SPDX-License-Identifier: MIT */
/* Describes this keeper and its forward, for READY and STATUS. */
#ifndef KEEPER_DESCRIBE_H
#define KEEPER_DESCRIBE_H

#include <ipc/record.h>

void describe_forward(struct record *out);

#endif
