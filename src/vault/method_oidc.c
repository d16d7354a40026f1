/* vault_auth = oidc: a person logs in with a browser. */
#include "method.h"

static int oidc_login(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    (void)v;
    (void)deadline;
    (void)out;
    (void)err_set(e, ERR_CONFIG, "vault_auth = oidc: not in this version yet");
    return err_hint(e, "vault_auth = userpass ldap approle jwt token token-file");
}

const struct vault_method vault_method_oidc = {
    .name = "oidc", .person = VAULT_PERSON_BROWSES, .login = oidc_login};
