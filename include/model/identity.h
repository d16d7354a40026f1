/* SPDX-License-Identifier: MIT */
/*
 * Identity: the canonical text of who authenticates to what, and how. It is the key of every cache, lock and
 * keychain entry (docs/security.md, "Which runs share a cached credential"). Identities of stored passwords
 * are made only of text in the config; those of caches also contain what that text refers to at the moment.
 * An identity never contains the profile's name.
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include <base/buf.h>
#include <base/text.h>
#include <model/profile.h>

/* Returns mysql://USER@HOST:PORT or mysql://USER@localhost/PATH, with ;via=... if there is a tunnel.
 * Malloced. */
char *identity_password(const struct profile *p);
/* Returns USER@HOST:PORT or USER@PATH, for messages. Malloced. */
char *identity_label(const struct profile *p);
/* Returns ssh://[USER@]HOST[:PORT] as written in the config, which identifies the tunnel's own password. NULL
 * if the profile has no tunnel with a password. Malloced. */
char *identity_tunnel(const struct profile *p);
/* Returns the tunnel's SSH server as [USER@]HOST[:PORT], for messages. Malloced. */
char *identity_tunnel_label(const struct profile *p);
/* Returns command:HASH, with a hash of the program, its arguments and USER@HOST:PORT/DATABASE. Malloced. */
char *identity_command(const struct profile *p, const struct words *words);

/* Appends a field to a text that will be hashed. The encoding is unambiguous: different lists of fields give
 * different bytes. NULL means that the field is not set. */
void identity_add_field(struct buf *out, const char *value);
/* Appends what a program's output may depend on: its arguments (the first is its path), the path with
 * symlinks resolved, HOME, and the current folder if an argument is the relative path of a file. */
void identity_add_program(struct buf *out, const struct words *words);

#endif
