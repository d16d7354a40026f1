/* SPDX-License-Identifier: MIT */
/* vault_auth = ldap: a user of an LDAP directory, whose password the user types. */
#include <base/mem.h>

#include "method.h"

static int ldap_check(const struct vault *v, struct err *e)
{
    return vault_method_wants(v->user, KEY_vault_user, v, e);
}

static char *ldap_who(const struct vault *v)
{
    return mem_strdup(v->user);
}

const struct vault_method vault_method_ldap = {.name = "ldap",
                                               .person = VAULT_PERSON_ASKED,
                                               .check = ldap_check,
                                               .who = ldap_who,
                                               .login = vault_login_with_password};
