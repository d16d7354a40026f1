/* SPDX-License-Identifier: MIT */
/* Finds options in the user's own option files that our option file cannot override. */
#ifndef SESSION_INCLUDES_H
#define SESSION_INCLUDES_H

#include <stdbool.h>

#include <base/err.h>
#include <base/text.h>
#include <output/client.h>

/*
 * ERR_CONFIG, with e->what FILE:LINE, if one of the files, or a file that it includes, has such an option.
 * `verifies`: the server's certificate is verified. `own_place`: our option file sets the server's address.
 */
int includes_check(const struct words *files, enum flavour f, bool verifies, bool own_place, struct err *e);

#endif
