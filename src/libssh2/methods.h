/* SPDX-License-Identifier: MIT */
/* What libssh2 supports: algorithms, and other settings of ssh. */
#ifndef LIBSSH2_METHODS_H
#define LIBSSH2_METHODS_H

#include <libssh2.h>
#include <stdbool.h>

#include <base/buf.h>
#include <ssh/ssh.h>

/* Sets the algorithms that libssh2 negotiates: the safe ones that the user allows, in the user's order, and
 * host keys as in known_hosts. False: none is left of one kind, which `why` names. `ssh` may be NULL. */
bool methods_set(const struct ssh_settings *settings, LIBSSH2_SESSION *ssh, struct buf *why);
/* The algorithms of each kind that libssh2 supports and we accept, in order of preference: comma lists. */
extern const char methods_kex[], methods_ciphers[], methods_macs[], methods_host_keys[];
/* Whether a comma list contains a word. */
bool list_has(const char *list, const char *word);
/* The words of `first` that are also in `second`, in the order of `first`. */
void list_both(struct buf *out, const char *first, const char *second);

/* --- can.c --- */

bool libssh2_can(const struct ssh_settings *s, struct buf *why);
/* Whether a library of this version ("1.10.0") can be used: versions of one soname differ in their structs.
 */
bool libssh2_fits(const char *loaded);

#endif
