/* SPDX-License-Identifier: MIT */
/* broker profile list, and broker profile check. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>

#include "begin.h"
#include "json.h"

/* Returns "app@db.example.com:3307/shop", malloced. */
static char *profile_server(const struct profile *p)
{
    const char *user = profile_str(p, KEY_user), *database = profile_str(p, KEY_database);
    const char *socket = profile_str(p, KEY_socket), *host = profile_str(p, KEY_host);
    AUTO_BUF(text, 16384);

    if (user)
        buf_printf(&text, "%s@", user);
    buf_puts(&text, socket ? socket : host ? host : "?");
    if (!socket && profile_number(p, KEY_port) != 3306)
        buf_printf(&text, ":%u", profile_number(p, KEY_port));
    if (database)
        buf_printf(&text, socket ? " %s" : "/%s", database);
    return buf_take(&text);
}

/* Resolves a profile for the list. A profile with wrong keys is still listed; `profile check` reports its
 * errors. */
static bool resolve(const struct config *c, const char *name, struct profile *p)
{
    struct err ignored = ERR_INIT;

    return config_resolve(c, name, NULL, NULL, 0, p, &ignored) == 0 && plan_derive(p, &ignored) == 0;
}

static json_t *string_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

static json_t *list_object(const struct profile *p, const char *name)
{
    static const enum key keys[] = {KEY_title, KEY_auth,     KEY_host, KEY_port, KEY_socket,
                                    KEY_user,  KEY_database, KEY_via,  KEY_tls};
    json_t *row = json_pack("{s:s}", "name", name);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *value = profile_str(p, keys[i]);
        bool is_port = keys[i] == KEY_port, has_port = value && !profile_str(p, KEY_socket);
        (void)json_object_set_new(row, key_infos[keys[i]].name,
                                  !is_port   ? string_or_null(value)
                                  : has_port ? json_integer(profile_number(p, KEY_port))
                                             : json_null());
    }
    return row;
}

static void list_json(const struct config *c)
{
    const char *const *names = config_profile_names(c);
    AUTO_JSON(root);
    json_t *list = json_array();

    for (size_t i = 0; names[i]; i++) {
        AUTO_PROFILE(p);
        const struct profile unknown = {0};
        bool good = resolve(c, names[i], &p);
        (void)json_array_append_new(list, list_object(good ? &p : &unknown, names[i]));
    }
    root = json_pack("{s:o}", "profiles", list);
    print_json_line(root);
}

int profile_list(struct invocation *inv, struct err *e)
{
    AUTO_CONFIG(config);
    AUTO_TABLE(t, 4);

    if (config_load(&config, e) < 0 || config_found(config, e) < 0)
        return -1;
    json_use_wiping_memory();
    if (inv->given[OPT_json]) {
        list_json(config);
        return 0;
    }
    const char *const *names = config_profile_names(config);
    if (!names[0])
        log_note("no profiles; broker profile add NAME");
    for (size_t i = 0; names[i]; i++) {
        AUTO_PROFILE(p);
        AUTO_FREE(char *, server);
        if (i == 0) {
            static const char *const header[] = {"NAME", "AUTH", "VIA", "SERVER"};
            for (size_t j = 0; j < ARRAY_LEN(header); j++)
                table_add(&t, header[j]);
        }
        bool good = resolve(config, names[i], &p);
        server = good ? profile_server(&p) : mem_printf("(broken: broker profile check)");
        table_add(&t, names[i]);
        table_add(&t, good ? profile_str(&p, KEY_auth) : NULL);
        table_add(&t, good ? profile_str(&p, KEY_via) : NULL);
        table_add(&t, server);
    }
    table_print(&t, stdout);
    return 0;
}

struct check_state {
    unsigned errors;
    struct err last;
};

/* Prints each error at once, except the last, which the verb returns as its own error. */
static void check_error(void *context, const struct err *e)
{
    struct check_state *state = context;

    if (state->errors++)
        print_error(&state->last);
    err_copy(&state->last, e);
}

int profile_check(struct invocation *inv, struct err *e)
{
    AUTO_CONFIG(config);
    struct check_state state = {0};

    (void)inv;
    if (config_load(&config, e) < 0)
        return -1;
    (void)config_check(config, check_error, &state);
    const char *const *names = config_profile_names(config);
    for (size_t i = 0; names[i]; i++) {
        AUTO_PROFILE(p);
        struct err ignored = ERR_INIT, wrong = ERR_INIT;
        if (config_resolve(config, names[i], NULL, NULL, 0, &p, &ignored) == 0 &&
            plan_derive(&p, &wrong) < 0) {
            (void)err_what(&wrong, "%s", names[i]);
            check_error(&state, &wrong);
        }
    }
    if (!state.errors)
        return 0;
    err_copy(e, &state.last);
    return -1;
}
