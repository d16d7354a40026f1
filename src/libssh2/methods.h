/* SPDX-License-Identifier: MIT */
/* What libssh2 supports: algorithms, and other settings of ssh. */
#ifndef LIBSSH2_METHODS_H
#define LIBSSH2_METHODS_H

#include <libssh2.h>
#include <stdbool.h>

#include <base/buf.h>
#include <ssh/ssh.h>

/* Sets the algorithms that libssh2 negotiates: the safe ones that the user allows, in the user's order, and
 * host key types as in known_hosts. Returns false if no algorithm of one kind is left; `why` then names that
 * kind. `ssh` may be NULL. */
bool methods_set(const struct ssh_settings *settings, LIBSSH2_SESSION *ssh, struct buf *why);
/* The algorithms of each kind that libssh2 supports and broker accepts, in order of preference;
 * comma-separated. */
extern const char methods_kex[], methods_ciphers[], methods_macs[], methods_host_keys[];
/* Returns whether a comma-separated list contains a name. */
bool list_has(const char *list, const char *word);
/* Appends the names of `first` that are also in `second`, in the order of `first`. */
void list_both(struct buf *out, const char *first, const char *second);

/* --- can.c --- */

bool libssh2_can(const struct ssh_settings *s, struct buf *why);
/* Returns whether a libssh2 of this version ("1.10.0") can be used. Versions with the same soname differ in
 * their structs. */
bool libssh2_fits(const char *loaded);

#endif
