/* SPDX-License-Identifier: MIT */
/* One line of what `ssh -G` prints, between config.c and config_keys.c. */
#ifndef SSH_CONFIG_KEYS_H
#define SSH_CONFIG_KEYS_H

#include <ssh/config.h>

/* Puts a key's value where it belongs. ERR_PROTOCOL. */
int config_take(struct ssh_settings *s, const char *key, const char *value, struct err *e);
/* A copy in the place of what is there; NULL: none. */
void settings_put(char **to, const char *value);

#endif
