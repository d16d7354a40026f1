/* SPDX-License-Identifier: MIT */
/* A running master that the user has started (ControlMaster, ControlPath): it carries streams like our own,
 * and is never ended. */
#ifndef OPENSSH_USER_MASTER_H
#define OPENSSH_USER_MASTER_H

#include <stdbool.h>

/*
 * Checks whether the master at `control` is alive. `answered` is called once, never before the return: it is,
 * or cannot be used. After true, `gone` is called once when it has ended.
 */
void user_master_open(const char *control, void (*answered)(bool lives), void (*gone)(void));
/* Calls no callback any more. */
void user_master_close(void);

#endif
