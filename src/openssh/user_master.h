/* SPDX-License-Identifier: MIT */
/* A running master that the user has started (ControlMaster, ControlPath). Streams use it like broker's own,
 * but it is never ended. */
#ifndef OPENSSH_USER_MASTER_H
#define OPENSSH_USER_MASTER_H

#include <stdbool.h>

/*
 * Checks whether the master at `control` is alive. `answered` is called once, never before user_master_open()
 * returns, with true if it can be used. After true, `gone` is called once when the master has ended.
 */
void user_master_open(const char *control, void (*answered)(bool lives), void (*gone)(void));
/* Ends the check; no callback is called any more. */
void user_master_close(void);

#endif
