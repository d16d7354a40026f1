/* SPDX-License-Identifier: MIT */
/* Parses one line of the output of `ssh -G`; used by config.c. */
#ifndef SSH_CONFIG_KEYS_H
#define SSH_CONFIG_KEYS_H

#include <ssh/config.h>

/* Stores the value of a key in the settings. Returns 0, or -1 with ERR_PROTOCOL. */
int config_take(struct ssh_settings *s, const char *key, const char *value, struct err *e);
/* Replaces the string *to by a copy of `value`; NULL: by NULL. */
void settings_put(char **to, const char *value);

#endif
