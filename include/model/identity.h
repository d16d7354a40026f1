/* SPDX-License-Identifier: MIT */
/*
 * Identity: the canonical text of who authenticates to what, with which proof. It is the key of every cache,
 * lock and keychain entry (SPEC section 7). Lasting entries are named by config text alone; a cache's key
 * also contains what these names refer to at the moment. It never contains the profile's name.
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include <base/buf.h>
#include <base/text.h>
#include <model/profile.h>

/* mysql://USER@HOST:PORT, or mysql://USER@localhost/PATH, plus ;via=... with a tunnel. Malloced. */
char *identity_password(const struct profile *p);
/* USER@HOST:PORT or USER@PATH, for messages. Malloced. */
char *identity_label(const struct profile *p);
/*
 * ssh://[USER@]HOST[:PORT] as written in the config: the key of the tunnel's own password. NULL if the
 * profile has no tunnel with a password. Malloced.
 */
char *identity_tunnel(const struct profile *p);
/* The same as [USER@]HOST[:PORT], for messages. */
char *identity_tunnel_label(const struct profile *p);
/* command:HASH(the program and its words as they are run, USER@HOST:PORT/DATABASE). Malloced. */
char *identity_command(const struct profile *p, const struct words *words);

/* Appends a field to a text that is hashed for a key. Different lists of fields never give the same bytes.
 * NULL: not set. */
void identity_add_field(struct buf *out, const char *value);
/*
 * Appends what the run of a program depends on: its words (the first is its path), the path with links
 * resolved, HOME, and the working folder if a word is the path of a file in it.
 */
void identity_add_program(struct buf *out, const struct words *words);

#endif
