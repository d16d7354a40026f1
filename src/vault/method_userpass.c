/* SPDX-License-Identifier: MIT */
/* vault_auth = userpass: a user managed by Vault, whose password the user types. */
#include <base/mem.h>

#include "method.h"

static int userpass_check(const struct vault *v, struct err *e)
{
    return vault_method_wants(v->user, KEY_vault_user, v, e);
}

static char *userpass_who(const struct vault *v)
{
    return mem_strdup(v->user);
}

const struct vault_method vault_method_userpass = {.name = "userpass",
                                                   .person = VAULT_PERSON_ASKED,
                                                   .check = userpass_check,
                                                   .who = userpass_who,
                                                   .login = vault_login_with_password};
