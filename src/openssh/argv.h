/* SPDX-License-Identifier: MIT */
/* The command line of the system's ssh as a master. */
#ifndef OPENSSH_ARGV_H
#define OPENSSH_ARGV_H

#include <base/text.h>
#include <ssh/ssh.h>

/* argv[0] is a path. `control`: where its socket is to be. */
void openssh_command(const struct ssh_settings *s, const char *control, struct words *argv);

#endif
