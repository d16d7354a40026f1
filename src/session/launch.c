/* SPDX-License-Identifier: MIT */
/* Turns a plan and a credential into arguments, environment and option file. The secret is written only to
 * the option file's pipe, or to the environment if it must be. */
#include "launch.h"

#include <unistd.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/memfd.h>

#include "plugins.h"
#include "route.h"

void launch_release(struct launch *l)
{
    words_release(&l->argv);
    env_release(&l->env);
    fd_close_cleanup(&l->option_fd);
}

static const struct local_address *find_listener(const struct route *w, bool by_path)
{
    for (unsigned i = 0; i < w->listeners; i++) {
        if ((w->listener[i].path != NULL) == by_path)
            return &w->listener[i];
    }
    return NULL;
}

/* Sets the address of the keeper's listener to connect to. If the keeper uses TLS to the server, the client
 * uses none to the keeper. */
static void dial_listener(const struct session *s, struct connection *c)
{
    const struct local_address *listener = s->route ? find_listener(s->route, s->plan.unix_listener) : NULL;

    if (!listener)
        return;
    c->socket = listener->path;
    c->host = listener->path ? NULL : listener->host;
    c->port = listener->path ? c->port : listener->port;
    if (s->plan.tls_by_keeper)
        c->tls = TLS_DISABLED;
}

struct connection launch_both_listeners(const struct session *s)
{
    struct connection c = launch_connection(s);

    if (s->plan.login_by_keeper && s->route)
        c.password = s->route->password;
    const struct local_address *path = s->route ? find_listener(s->route, true) : NULL;
    const struct local_address *port = s->route ? find_listener(s->route, false) : NULL;

    if (path)
        c.socket = path->path;
    if (port) {
        c.host = port->host;
        c.port = port->port;
    }
    connection_by_tcp(&c);
    return c;
}

/* If the keeper logs in, the client gets an empty password, so that it does not use one from the user's own
 * option files. */
struct connection launch_connection(const struct session *s)
{
    const struct credential *got = &s->credential;
    struct connection c = s->plan.conn;

    if (got->user)
        c.user = got->user;
    if (s->plan.login_by_keeper && s->route) {
        c.password = s->route->nothing;
        c.cleartext = false;
    } else {
        c.password = got->password;
        c.cleartext = c.cleartext || got->cleartext;
        c.expires_at = got->expires_at;
        c.fixed = c.fixed || c.expires_at;
    }
    dial_listener(s, &c);
    return c;
}

void launch_forget(struct session *s)
{
    if (!s->plan.login_by_keeper)
        return;
    secret_free(s->credential.password);
    secret_free(s->profile.password);
    s->credential.password = s->profile.password = NULL;
}

struct connection launch_for_driver(const struct session *s)
{
    struct connection c = launch_both_listeners(s);

    /* The keeper has verified the server as far as the TLS level requires, so the client may accept a public
     * key. */
    c.server_public_key = c.server_public_key || s->plan.tls_by_keeper;
    if (!s->plan.unix_listener)
        c.socket = NULL;
    return c;
}

int launch_option_file(const struct session *s, enum flavour f, bool again, int *fd, bool *by_env,
                       struct err *e)
{
    struct connection c = f == FLAVOUR_UNKNOWN ? launch_for_driver(s) : launch_connection(s);
    AUTO_FREE(char *, plugin_dir);
    AUTO_SECRET(text);

    if (s->plan.restrict_plugins && plugins_restricted(&plugin_dir, e) < 0)
        return -1;
    c.plugin_dir = plugin_dir;
    int made = f == FLAVOUR_UNKNOWN ? client_plain_file(&c, &text, by_env, e)
                                    : client_option_file(&c, f, &text, by_env, e);
    if (made < 0)
        return -1;
    *fd = again ? memfd_from_secret(text, e) : pipe_from_secret(text, e);
    return *fd < 0 ? -1 : 0;
}

int launch_prepare(const struct session *s, char *const *args, struct launch *l, struct err *e)
{
    const struct client *client = s->plan.client;
    struct connection c = launch_connection(s);
    bool by_env = false;

    if (launch_option_file(s, client->flavour, false, &l->option_fd, &by_env, e) < 0)
        return -1;
    words_add(&l->argv, client->path);
    words_take(&l->argv, mem_printf("--defaults-file=/dev/fd/%d", l->option_fd));
    for (; args && *args; args++)
        words_add(&l->argv, *args);
    client_environment(&c, client->flavour, by_env, &l->env);
    if (text_equal(profile_str(&s->profile, KEY_auth), "env"))
        env_unset(&l->env, profile_str(&s->profile, KEY_auth_env));
    log_step("client", "%s --defaults-file=/dev/fd/%d", client->path, l->option_fd);
    if (by_env)
        log_step("client", "the password is over 4,000 bytes: using MYSQL_PWD, without your option files");
    return 0;
}
