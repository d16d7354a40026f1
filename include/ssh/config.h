/* SPDX-License-Identifier: MIT */
/* The settings of an SSH tunnel: the output of `ssh -G` for its host, overridden by the tunnel's own keys. */
#ifndef SSH_CONFIG_H
#define SSH_CONFIG_H

#include <base/err.h>
#include <ssh/ssh.h>

/*
 * Reads the settings for a target, which must stay valid. The settings live as long as the process. done() is
 * called once, never before ssh_config_read() returns. On failure `s` is NULL and `e` is ERR_CONFIG if ssh
 * refuses its own configuration or the tunnel's `identity` is not usable, or ERR_UNREACHABLE if ssh took
 * longer than the connect timeout.
 */
void ssh_config_read(const struct target *target,
                     void (*done)(const struct ssh_settings *s, const struct err *e));

/* Appends the ssh options for the tunnel's keys `port`, `user` and `identity`. */
void ssh_options_add(const struct target *target, struct words *argv);
/* Sets ssh's own defaults, used if ssh is not installed. `alias` is copied. */
void ssh_config_defaults(struct ssh_settings *s, const char *alias);
/* Parses the output of `ssh -G`. Returns 0, or -1 with ERR_PROTOCOL if it is invalid. */
int ssh_config_parse(struct ssh_settings *s, const char *text, size_t n, struct err *e);
/* Overrides the settings with the tunnel's keys (s->target). Returns 0, or -1 with ERR_CONFIG. */
int ssh_config_override(struct ssh_settings *s, struct err *e);
void ssh_settings_release(struct ssh_settings *s);

#endif
