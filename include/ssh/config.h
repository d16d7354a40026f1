/* SPDX-License-Identifier: MIT */
/* The settings of a tunnel `ssh`: the output of `ssh -G` for its host, overridden by the tunnel's own keys.
 */
#ifndef SSH_CONFIG_H
#define SSH_CONFIG_H

#include <base/err.h>
#include <ssh/ssh.h>

/*
 * Gathers them for a target, which is kept; they live lives as long as the process. done() once, never before
 * the return: NULL and ERR_CONFIG where ssh refuses its own configuration or names a file that the tunnel's
 * `identity` cannot be, or ERR_UNREACHABLE where it took longer than the connect timeout.
 */
void ssh_config_read(const struct target *target,
                     void (*done)(const struct ssh_settings *s, const struct err *e));

/* Adds the options of ssh that the tunnel's keys `port`, `user` and `identity` mean. */
void ssh_options_add(const struct target *target, struct words *argv);
/* The settings if ssh is not installed: ssh's own defaults. `alias` is copied. */
void ssh_config_defaults(struct ssh_settings *s, const char *alias);
/* Parses the output of `ssh -G`. ERR_PROTOCOL if it is invalid. */
int ssh_config_parse(struct ssh_settings *s, const char *text, size_t n, struct err *e);
/* The keys of s->target over what is there. ERR_CONFIG. */
int ssh_config_override(struct ssh_settings *s, struct err *e);
void ssh_settings_release(struct ssh_settings *s);

#endif
