/* SPDX-License-Identifier: MIT */
/*
 * profile export: prints profiles as URLs in Sequel Ace's dialect, one per line, without secrets. Sequel Ace
 * refuses a URL with a parameter that it does not know, so other settings are left out and listed on stderr.
 */
#include "profile.h"

#include <string.h>

#include <base/log.h>
#include <base/mem.h>

#include "json.h"

/* The keys that have a fixed place in a URL and need no parameter. */
static const enum key in_place[] = {KEY_host, KEY_port, KEY_user, KEY_database, KEY_socket, KEY_inherits};
static const struct {
    enum key key;
    const char *parameter;
} parameters[] = {
    {KEY_aws_profile, "aws_profile"},
    {KEY_region, "aws_region"},
    {KEY_cleartext, "enable_cleartext_plugin"},
    {KEY_server_public_key, "get_server_public_key"},
};
static const struct {
    enum tunnel_key key;
    const char *parameter;
} ssh_parameters[] = {{TUNNEL_host, "ssh_host"},
                      {TUNNEL_port, "ssh_port"},
                      {TUNNEL_user, "ssh_user"},
                      {TUNNEL_identity, "ssh_keyLocation"}};

static void put(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, "%c%s=", memchr(buf_str(out), '?', out->len) ? '&' : '?', name);
    text_percent_encode(out, value, strlen(value));
}

static bool is_ssh(const struct profile *p)
{
    return profile_is_tunnelled(p) && text_equal(profile_tunnel_str(p, TUNNEL_type), "ssh");
}

static void put_route(struct buf *out, const struct profile *p)
{
    const char *socket = profile_str(p, KEY_socket);

    for (size_t i = 0; is_ssh(p) && i < ARRAY_LEN(ssh_parameters); i++)
        put(out, ssh_parameters[i].parameter, profile_tunnel_str(p, ssh_parameters[i].key));
    if (is_ssh(p) && profile_tunnel_str(p, TUNNEL_identity))
        put(out, "ssh_keyLocationEnabled", "1");
    if (socket && is_ssh(p))
        put(out, "ssh_remote_socket_path", socket);
    else if (socket && !text_equal(socket, "auto"))
        put(out, "socket", socket);
}

static void write_url(struct buf *out, const struct profile *p)
{
    const char *user = profile_str(p, KEY_user), *host = profile_str(p, KEY_host),
               *database = profile_str(p, KEY_database);
    bool is_iam = text_equal(profile_str(p, KEY_auth), "iam"), is_socket = profile_str(p, KEY_socket) != NULL;

    buf_puts(out, "mysql://");
    if (user) {
        text_percent_encode(out, user, strlen(user));
        buf_putc(out, '@');
    }
    if (is_socket)
        buf_puts(out, "localhost");
    else
        text_address(out, host ? host : "127.0.0.1",
                     profile_number(p, KEY_port) == 3306 ? -1 : (long)profile_number(p, KEY_port));
    buf_putc(out, '/');
    if (database)
        text_percent_encode(out, database, strlen(database));
    put(out, "type", is_iam ? "aws_iam" : is_ssh(p) ? "ssh" : is_socket ? "socket" : NULL);
    put_route(out, p);
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        const char *value = profile_str(p, parameters[i].key);
        bool is_bool = key_infos[parameters[i].key].type == KEY_BOOL;
        if (is_bool ? profile_bool(p, parameters[i].key) : is_iam)
            put(out, parameters[i].parameter, is_bool ? "1" : value);
    }
}

static bool has_place(const struct profile *p, size_t k)
{
    const char *auth = profile_str(p, KEY_auth);

    for (size_t i = 0; i < ARRAY_LEN(in_place); i++)
        if (in_place[i] == k)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
        if (parameters[i].key == k)
            return true;
    return (k == KEY_via && (is_ssh(p) || !profile_is_tunnelled(p))) ||
           (k == KEY_auth && (text_equal(auth, "iam") || text_equal(auth, "keychain")));
}

/* Lists the keys of the profile that are not in the URL. */
static void find_left(const struct profile *p, struct words *out)
{
    for (size_t k = 0; k < KEY_COUNT; k++)
        if (p->set[k].origin > ORIGIN_DERIVED && p->set[k].value && !has_place(p, k))
            words_add(out, key_infos[k].name);
}

static void note_left(const char *name, const struct words *left)
{
    AUTO_BUF(text, 8192);

    for (size_t i = 0; i < left->count; i++)
        buf_printf(&text, " %s", left->word[i]);
    if (left->count)
        log_note("%s: not in the URL:%s", name, buf_str(&text));
}

static int export_one(const struct config *c, const char *name, json_t *list, struct err *e)
{
    AUTO_PROFILE(p);
    AUTO_WORDS(left);
    AUTO_BUF(url, 65536);

    if (config_resolve(c, name, NULL, NULL, 0, &p, e) < 0 || plan_derive(&p, e) < 0)
        return err_what(e, "%s", name);
    write_url(&url, &p);
    find_left(&p, &left);
    if (!list) {
        (void)puts(buf_str(&url));
        note_left(name, &left);
        return 0;
    }
    json_t *words = json_array();
    for (size_t i = 0; i < left.count; i++)
        (void)json_array_append_new(words, json_string(left.word[i]));
    (void)json_array_append_new(
        list, json_pack("{s:s,s:s,s:o}", "name", name, "url", buf_str(&url), "left_out", words));
    return 0;
}

int profile_export(struct invocation *inv, struct err *e)
{
    AUTO_CONFIG(config);
    AUTO_JSON(root);
    json_t *list = NULL;

    if (config_load(&config, e) < 0)
        return -1;
    if (inv->given[OPT_json])
        root = json_pack("{s:o}", "profiles", list = json_array());
    for (size_t i = 1; i < inv->word_count; i++)
        if (export_one(config, inv->word[i], list, e) < 0)
            return -1;
    const char *const *names = config_profile_names(config);
    for (size_t i = 0; inv->word_count < 2 && names[i]; i++)
        if (export_one(config, names[i], list, e) < 0)
            return -1;
    if (root)
        print_json_line(root);
    return 0;
}
