/* SPDX-License-Identifier: MIT */
/* vault_auth = token: the user types a token once. VAULT_TOKEN takes precedence, as with every method. */
#include <base/mem.h>
#include <base/tty.h>

#include "method.h"
#include "token.h"

static int token_login(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    AUTO_FREE(char *, prompt);

    (void)deadline;
    prompt = mem_printf("token for %s: ", v->addr);
    if (tty_ask_secret(prompt, &out->value, e) < 0)
        return -1;
    const char *fault = secret_len(out->value) ? vault_token_fault(secret_bytes(out->value)) : "nothing";
    out->from = VAULT_FROM_LOGIN;
    if (!fault)
        return 0;
    (void)err_set(e, ERR_DATA, "not a token: it contains %s", fault);
    return err_hint(e, "a Vault token is one word, for example hvs.CAESI...");
}

const struct vault_method vault_method_token = {
    .name = "token", .has_no_mount = true, .person = VAULT_PERSON_ASKED, .login = token_login};
