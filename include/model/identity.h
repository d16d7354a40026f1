/*
 * Identity: the canonical text of who authenticates to what; the key of every cache, lock and keychain entry
 * (SPEC section 7): who authenticates to what, with whose proof. What rests for long is named by config text
 * alone; the key of a cache also holds what these names stand for just now. Never the profile's name.
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include <base/buf.h>
#include <base/text.h>
#include <model/profile.h>

/* mysql://USER@HOST:PORT, or mysql://USER@localhost/PATH, plus ;via=... when tunnelled. Malloced. */
char *identity_password(const struct profile *p);
/* USER@HOST:PORT or USER@PATH, for people. Malloced. */
char *identity_label(const struct profile *p);
/*
 * ssh://[USER@]HOST[:PORT] as it is written: the key of the tunnel's own password. NULL where the profile has
 * no tunnel with one. Malloced.
 */
char *identity_tunnel(const struct profile *p);
/* [USER@]HOST[:PORT] of the same, for people. */
char *identity_tunnel_label(const struct profile *p);
/* command:HASH(the program and its words as they are run, USER@HOST:PORT/DATABASE). Malloced. */
char *identity_command(const struct profile *p, const struct words *words);

/* A field of a text that is hashed for a key: no two lists of fields give the same bytes. NULL: not set. */
void identity_add_field(struct buf *out, const char *value);
/*
 * What the run of a program depends on: its words (the first is its path), where that path leads to, HOME,
 * and the working folder where a word leads to something there.
 */
void identity_add_program(struct buf *out, const struct words *words);

#endif
