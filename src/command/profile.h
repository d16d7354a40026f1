/* SPDX-License-Identifier: MIT */
/* The subcommands of `profile`. */
#ifndef COMMAND_PROFILE_H
#define COMMAND_PROFILE_H

#include "command.h"

int profile_list(struct invocation *inv, struct err *e);
int profile_show(struct invocation *inv, struct err *e);
int profile_check(struct invocation *inv, struct err *e);
int profile_add(struct invocation *inv, struct err *e);
int profile_set(struct invocation *inv, struct err *e);
int profile_edit(struct invocation *inv, struct err *e);
int profile_remove(struct invocation *inv, struct err *e);
int profile_rename(struct invocation *inv, struct err *e);
int profile_export(struct invocation *inv, struct err *e);
int profile_import(struct invocation *inv, struct err *e);

/* Returns true if there is a keychain, even if it is locked or fails. Otherwise *why says why not. */
bool profile_has_keychain(const char *identity, struct err *why);

#endif
