/* SPDX-License-Identifier: MIT */
/* Writes Laravel's variables, as config/database.php reads them from the environment or a .env file. If PDO
 * is given CA certificates it verifies chain and name; otherwise it connects without TLS. */
#include "write.h"

#include <stdlib.h>

#include <base/mem.h>

struct variable {
    const char *key, *value;
};
enum { VARIABLES = 8, PASSWORD_AT = 6 };

static void fill(const struct connection *c, const char *port, struct variable out[VARIABLES])
{
    const struct variable all[VARIABLES] = {
        {"DB_CONNECTION", "mysql"},
        {"DB_HOST", c->host ? c->host : "localhost"},
        {"DB_PORT", c->host ? port : NULL},
        {"DB_SOCKET", c->host ? NULL : c->socket},
        {"DB_DATABASE", c->database},
        {"DB_USERNAME", c->user},
        {"DB_PASSWORD", NULL},
        {"MYSQL_ATTR_SSL_CA", ca_of(c)},
    };

    for (size_t i = 0; i < VARIABLES; i++)
        out[i] = all[i];
}

static int laravel_write(const struct connection *c, const struct format_how *how, struct buf *out,
                         struct err *e)
{
    struct variable all[VARIABLES];
    AUTO_FREE(char *, port);

    port = mem_printf("%u", c->port);
    fill(c, port, all);
    for (size_t i = 0; i < VARIABLES; i++) {
        if (i == PASSWORD_AT && dotenv_put_password(out, "laravel", all[i].key, c, how, e) < 0)
            return -1;
        if (all[i].value && dotenv_put(out, "laravel", all[i].key, all[i].value, e) < 0)
            return -1;
    }
    put_expiry(out, c);
    return 0;
}

static int laravel_environment(const struct connection *c, struct env_changes *env, struct err *e)
{
    struct variable all[VARIABLES];
    AUTO_FREE(char *, port);

    (void)e;
    port = mem_printf("%u", c->port);
    fill(c, port, all);
    for (size_t i = 0; i < VARIABLES; i++) {
        if (i == PASSWORD_AT && c->password)
            env_set_secret(env, all[i].key, c->password);
        else
            env_set(env, all[i].key, all[i].value);
    }
    return 0;
}

const struct format format_laravel = {.name = "laravel",
                                      .localhost_is_socket = true,
                                      .levels = LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(VERIFY_IDENTITY),
                                      .carries = CARRIES_SOCKET | CARRIES_CA,
                                      .write = laravel_write,
                                      .environment = laravel_environment};
