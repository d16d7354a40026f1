/* SPDX-License-Identifier: MIT */
/* vault_auth = token-file: the token that `vault login` stores in ~/.vault-token. The file is read each time
 * and never written, because it belongs to that program. */
#include "method.h"

static int token_file_login(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    (void)deadline;
    return vault_read_file(v->token_file, KEY_vault_token_file, &out->value, e);
}

const struct vault_method vault_method_token_file = {
    .name = "token-file", .has_no_mount = true, .is_given = true, .login = token_file_login};
