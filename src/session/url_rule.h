/* SPDX-License-Identifier: MIT */
/* The rule for URLs that needs the whole profile. Its part about credentials is plan_check_url(). */
#ifndef SESSION_URL_RULE_H
#define SESSION_URL_RULE_H

#include <model/profile.h>

/* Returns true if the URL lowers security compared with `unlowered`, the profile without such keys (also
 * derived); *e then says what it lowers. */
bool url_rule_lowers(const struct profile *p, const struct profile *unlowered, struct err *e);
/* ERR_DATA if the URL lowers security and a credential of this machine would be affected. */
int url_rule_levels(const struct profile *p, const struct profile *unlowered, struct err *e);

#endif
