/* A master that the user has started (ControlMaster, ControlPath), and that lives: it is asked for streams as
 * one of ours is, and never ended. */
#ifndef OPENSSH_USER_MASTER_H
#define OPENSSH_USER_MASTER_H

#include <stdbool.h>

/*
 * Asks the master behind `control` whether it lives. `answered`, once, never before the return: it does, or
 * there is none that can be used. After true `gone`, once, when it has ended.
 */
void user_master_open(const char *control, void (*answered)(bool lives), void (*gone)(void));
/* No callback any more. */
void user_master_close(void);

#endif
