/* SPDX-License-Identifier: MIT */
/* Frees what a credential holds; secrets are wiped. */
#include <model/credential.h>

#include <stdlib.h>

#include <base/mem.h>

void credential_release(struct credential *c)
{
    free(c->user);
    mem_wipe_free(c->lease_id);
    free(c->login);
    if (c->login_free)
        c->login_free(c->login_state);
    secret_free(c->password);
    *c = (struct credential){0};
}

void access_keys_release(struct access_keys *k)
{
    free(k->id);
    secret_free(k->token);
    secret_free(k->secret);
    free(k->account);
    *k = (struct access_keys){0};
}
