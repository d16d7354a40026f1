/* SPDX-License-Identifier: MIT */
/* vault_auth = jwt: a JWT from a file, written by a CI system or Kubernetes. */
#include <base/buf.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/identity.h>
#include <model/json.h>
#include <model/jwt.h>

#include "method.h"
#include "path.h"
#include "token.h"

static int jwt_check(const struct vault *v, struct err *e)
{
    return vault_method_wants(v->jwt_file, KEY_vault_jwt_file, v, e);
}

/* Returns a hash of the JWT's issuer and subject, or of the whole JWT if they are missing. Its path does not
 * identify its owner, because each job of a CI system may have a JWT at the same path. If the file cannot be
 * read, no stored token is found, and the login reports why. */
static char *jwt_who(const struct vault *v)
{
    AUTO_SECRET(jwt);
    AUTO_BUF(text, 2 * SECRET_MAX);
    struct err ignored = ERR_INIT;
    char hash[33];

    if (vault_read_file(v->jwt_file, KEY_vault_jwt_file, &jwt, &ignored) < 0)
        return mem_strdup("");
    if (!jwt_add_subject(secret_bytes(jwt), &text))
        identity_add_field(&text, secret_bytes(jwt));
    text_hash(buf_str(&text), text.len, hash);
    return mem_strdup(hash);
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
