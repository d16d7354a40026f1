/* SPDX-License-Identifier: MIT */
/* Chooses the CA certificates that verify the server, if the profile does not name any. */
#ifndef SESSION_CA_CERTS_H
#define SESSION_CA_CERTS_H

#include <stdbool.h>

#include <base/err.h>
#include <model/profile.h>

/*
 * Sets tls_ca, as a derived key, if the server is of RDS or Aurora and its certificate is to be verified: to
 * the bundle in $XDG_DATA_HOME/broker if there is one, else to the installed bundle. For other servers the
 * system's CA certificates are used (facts.c).
 */
void ca_certs_derive(struct profile *p);

/* Returns true if tls_ca is set in the profile and the server is not of RDS. The CA is then assumed to belong
 * to the user's own organization. */
bool ca_certs_are_own(const struct profile *p);

/* Checks that a derived tls_ca can be read. ERR_CONFIG. */
int ca_certs_check(const struct profile *p, struct err *e);

#endif
