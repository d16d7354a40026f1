/* SPDX-License-Identifier: MIT */
/* Which CA certificates verify the server, if the profile does not say. */
#ifndef SESSION_AUTHORITIES_H
#define SESSION_AUTHORITIES_H

#include <stdbool.h>

#include <base/err.h>
#include <model/profile.h>

/*
 * Sets tls_ca, as derived, for a server of RDS or Aurora whose certificate is to be verified: the bundle in
 * $XDG_DATA_HOME/broker where there is one, else the one that came with this program. Everything else is left
 * to the system's CA certificates (facts.c).
 */
void authorities_derive(struct profile *p);

/* Whether tls_ca is the profile's own and the server is not of RDS: then anyone with a certificate from it
 * belongs to the same organization. */
bool authorities_are_own(const struct profile *p);

/* Whether a derived tls_ca can be read: ERR_CONFIG. */
int authorities_check(const struct profile *p, struct err *e);

#endif
