/* SPDX-License-Identifier: MIT */
/* vault_auth = jwt: a JWT from a file, written by a CI system or Kubernetes. */
#include <base/text.h>

#include "method.h"
#include "path.h"
#include "token.h"

static int jwt_check(const struct vault *v, struct err *e)
{
    return vault_method_wants(v->jwt_file, KEY_vault_jwt_file, v, e);
}

/* The owner of a JWT is only known to Vault, so the path of the file is used instead. */
static const char *jwt_who(const struct vault *v)
{
    return v->jwt_file;
}

static int jwt_login(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    AUTO_SECRET(jwt);
    AUTO_BUF(path, 4096);
    AUTO_JSON(body);
    struct vault_refusal why;

    if (vault_read_file(v->jwt_file, KEY_vault_jwt_file, &jwt, e) < 0)
        return -1;
    json_use_wiping_memory();
    body = json_pack("{s:o,s:s*}", "jwt", vault_json_secret(jwt), "role", v->role);
    buf_puts(&path, "auth/");
    vault_path_encode(&path, v->mount);
    buf_puts(&path, "/login");
    if (vault_token_login(v, "PUT", buf_str(&path), body, NULL, deadline, out, &why, e) == 0)
        return 0;
    return e->hint[0] ? -1 : err_hint(e, "check vault_role, vault_jwt_file and vault_mount");
}

const struct vault_method vault_method_jwt = {
    .name = "jwt", .check = jwt_check, .who = jwt_who, .login = jwt_login};
