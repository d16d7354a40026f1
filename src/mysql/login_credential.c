/* SPDX-License-Identifier: MIT */
/* The user and password with which the keeper logs in. A login uses the same credential until it ends, even
 * if there is a newer one by then. */
#include <mysql/login_proxy.h>

#include <stdlib.h>

#include <base/mem.h>

struct login_credential *login_credential_new(char *user, struct secret *password)
{
    struct login_credential *c = mem_alloc(1, sizeof *c);

    *c = (struct login_credential){.user = user, .password = password, .references = 1};
    return c;
}

struct login_credential *login_credential_hold(struct login_credential *c)
{
    c->references++;
    return c;
}

void login_credential_drop(struct login_credential *c)
{
    if (!c || --c->references > 0)
        return;
    secret_free(c->password);
    free(c->user);
    free(c);
}
