/* The variables that the stock clients and most container images read. The password is among them: the user
 * asked for that. */
#include <output/format.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>

static int env_environment(const struct connection *c, struct env_changes *env, struct err *e)
{
    AUTO_FREE(char *, port);

    if (c->password && strlen(secret_bytes(c->password)) != secret_len(c->password)) {
        (void)err_set(e, ERR_DATA, "env: the password holds a NUL byte, which no variable can carry");
        return err_hint(e, "set another password on the server");
    }
    port = mem_printf("%u", c->port);
    env_set(env, "MYSQL_HOST", c->host ? c->host : "localhost");
    env_set(env, "MYSQL_TCP_PORT", c->host ? port : NULL);
    env_set(env, "MYSQL_UNIX_PORT", c->socket);
    if (c->password) { /* else the caller's own variables decide: auth = client */
        env_set(env, "MYSQL_USER", c->user);
        env_set_secret(env, "MYSQL_PWD", c->password);
    }
    env_set(env, "MYSQL_DATABASE", c->database);
    return 0;
}

const struct format format_env = {.name = "env", .both_ends = true, .environment = env_environment};
