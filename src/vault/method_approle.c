/* SPDX-License-Identifier: MIT */
/* vault_auth = approle: a role ID from the config and a secret ID from a file, for use without a user. The
 * file is optional, because some roles need no secret ID. */
#include <base/mem.h>
#include <base/text.h>

#include "method.h"
#include "path.h"
#include "token.h"

static int approle_check(const struct vault *v, struct err *e)
{
    return vault_method_wants(v->role_id, KEY_vault_role_id, v, e);
}

static char *approle_who(const struct vault *v)
{
    return mem_strdup(v->role_id);
}

static int approle_login(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    AUTO_SECRET(secret_id);
    AUTO_BUF(path, 4096);
    AUTO_JSON(body);
    struct vault_refusal why;

    if (v->secret_id_file && vault_read_file(v->secret_id_file, KEY_vault_secret_id_file, &secret_id, e) < 0)
        return -1;
    json_use_wiping_memory();
    body = json_pack("{s:s}", "role_id", v->role_id);
    if (secret_id)
        (void)json_object_set_new(body, "secret_id", vault_json_secret(secret_id));
    buf_puts(&path, "auth/");
    vault_path_encode(&path, v->mount);
    buf_puts(&path, "/login");
    if (vault_token_login(v, "PUT", buf_str(&path), body, NULL, deadline, out, &why, e) == 0)
        return 0;
    return e->hint[0] ? -1 : err_hint(e, "check vault_role_id, vault_secret_id_file and vault_mount");
}

const struct vault_method vault_method_approle = {
    .name = "approle", .check = approle_check, .who = approle_who, .login = approle_login};
