/* SPDX-License-Identifier: MIT */
/* The rule for URLs that needs the whole profile; the part about credentials is plan_check_url(). */
#ifndef SESSION_URL_RULE_H
#define SESSION_URL_RULE_H

#include <model/profile.h>

/* Whether the URL lowers what its server would get without it (`unlowered`, derived too); then *e says what.
 */
bool url_rule_lowers(const struct profile *p, const struct profile *unlowered, struct err *e);
/* ERR_DATA if it does, and a credential of this machine would be affected. */
int url_rule_levels(const struct profile *p, const struct profile *unlowered, struct err *e);

#endif
