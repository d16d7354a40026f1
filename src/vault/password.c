/* SPDX-License-Identifier: MIT */
/* userpass and ldap: the user types the password for each login. Only the token is stored. */
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>

#include "method.h"
#include "path.h"
#include "token.h"

int vault_login_with_password(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e)
{
    AUTO_FREE(char *, prompt);
    AUTO_BUF(path, 4096);
    AUTO_SECRET(password);
    AUTO_JSON(body);
    struct vault_refusal why;

    prompt = mem_printf("Vault password of %s (%s): ", v->user, v->method->name);
    if (tty_ask_secret(prompt, &password, e) < 0)
        return -1;
    json_use_wiping_memory();
    body = json_pack("{s:o}", "password", vault_json_secret(password));
    if (!body) {
        (void)err_set(e, ERR_DATA, "Vault: the password is not UTF-8");
        return err_hint(e, "check the terminal's character set (LANG)");
    }
    buf_puts(&path, "auth/");
    vault_path_encode(&path, v->mount);
    buf_puts(&path, "/login/");
    text_percent_encode(&path, v->user, strlen(v->user));
    if (vault_token_login(v, "PUT", buf_str(&path), body, NULL, deadline, out, &why, e) == 0)
        return 0;
    return e->hint[0] ? -1 : err_hint(e, "check vault_user, vault_mount and the password");
}
