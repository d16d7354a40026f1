/* SPDX-License-Identifier: MIT */
/* The command line of the system's ssh as a ControlMaster (below: "master"). */
#ifndef OPENSSH_ARGV_H
#define OPENSSH_ARGV_H

#include <base/text.h>
#include <ssh/ssh.h>

/* Gets the command line; argv[0] is a path. `control` is the path for the master's socket. */
void openssh_command(const struct ssh_settings *s, const char *control, struct words *argv);

#endif
