/*
 * Identity: the canonical text of who authenticates to what; the key of every cache, lock and keychain entry
 * (SPEC section 7). Made of config text only, never of the profile's name.
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

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
/* command:HASH(the words, USER@HOST:PORT). Malloced. */
char *identity_command(const struct profile *p, const char *words);

#endif
