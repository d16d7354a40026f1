/* SPDX-License-Identifier: MIT */
/* Imports DBeaver's data-sources.json, and credentials-config.json in the same folder, which also holds the
 * user names. It is encrypted with a key that is built into DBeaver and the same for all users. */
#include "parts.h"

#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/http.h>

#include "tree.h"

#define HELPER_MS 20000
#define IV_BYTES 16

static bool is_dbeaver(const char *text, size_t n)
{
    return strlen(text) == n && text[strspn(text, " \t\r\n")] == '{' && strstr(text, "\"connections\"");
}

/* Returns the credentials by connection; NULL, with *why, if they cannot be read. */
static json_t *read_credentials(const char *path, struct err *why)
{
    static const unsigned char key[16] = {0xba, 0xbb, 0x4a, 0x9f, 0x77, 0x4a, 0xb8, 0x53,
                                          0xc9, 0x6c, 0x2d, 0x65, 0x3d, 0xfe, 0x54, 0x4a};
    static const char shared[] = "data-sources", mine[] = "credentials-config";
    const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;
    AUTO_BUF(text, IMPORT_BYTES);
    AUTO_BUF(plain, IMPORT_BYTES);
    AUTO_FREE(char *, beside);

    if (!path || !text_starts(name, shared)) {
        (void)err_set(why, ERR_DATA,
                      "broker looks for credentials-config.json in the folder of data-sources.json");
        return NULL;
    }
    beside = mem_printf("%.*s%s%s", (int)(name - path), path, mine, name + sizeof shared - 1);
    int got = file_read(beside, FILE_ANY, &text, why);
    if (got > 0)
        (void)err_set(why, ERR_DATA, "no %s%s in its folder", mine, name + sizeof shared - 1);
    if (got != 0)
        return NULL;
    if (text.len <= IV_BYTES || http_decrypt(key, text.data, text.data + IV_BYTES, text.len - IV_BYTES,
                                             &plain, clock_deadline(HELPER_MS, CLOCK_NEVER), why) < 0) {
        (void)err_set(why, ERR_DATA, "%s%s: encrypted with another key", mine, name + sizeof shared - 1);
        return NULL;
    }
    return tree_json(&plain, why);
}

/* Returns the connection's handler, or that of the network profile that it refers to. */
static const json_t *handler(const json_t *root, const json_t *config, const char *name)
{
    const json_t *own = json_object_get(json_object_get(config, "handlers"), name);
    const char *profile = tree_word(config, "config-profile");

    if (own || !*profile)
        return own;
    return json_object_get(
        json_object_get(json_object_get(json_object_get(root, "network-profiles"), profile), "handlers"),
        name);
}

static void take_ssh(struct import_entry *entry, const json_t *ssh, const json_t *secrets)
{
    const json_t *p = json_object_get(ssh, "properties");
    const json_t *mine = json_object_get(secrets, "network/ssh_tunnel");
    const char *user = *tree_word(mine, "user") ? tree_word(mine, "user") : tree_word(p, "user");

    if (!tree_yes(ssh, "enabled"))
        return;
    import_put_tunnel(entry, TUNNEL_host, tree_word(p, "host"));
    if (!text_equal(tree_word(p, "port"), "22"))
        import_put_tunnel(entry, TUNNEL_port, tree_word(p, "port"));
    import_put_tunnel(entry, TUNNEL_user, user);
    if (text_equal(tree_word(p, "authType"), "PUBLIC_KEY"))
        import_put_tunnel(entry, TUNNEL_identity, tree_word(p, "keyPath"));
    if (tree_yes(p, "jumpServer0.enabled"))
        import_leave(entry, "jumpServer0", "set further bastions with ProxyJump in ~/.ssh/config");
    if (*tree_word(mine, "password"))
        import_leave(entry, "the bastion's password", "broker password set --tunnel NAME");
}

static void take_tls(struct import_entry *entry, const json_t *ssl)
{
    static const struct {
        const char *name;
        enum key key;
    } files[] = {
        {"ssl.ca.cert", KEY_tls_ca}, {"ssl.client.cert", KEY_tls_cert}, {"ssl.client.key", KEY_tls_key}};
    const json_t *p = json_object_get(ssl, "properties");

    if (ssl && !tree_yes(ssl, "enabled"))
        import_tls(entry, "disabled");
    if (!tree_yes(ssl, "enabled"))
        return;
    import_tls(entry, tree_yes(p, "ssl.verify.server") ? "verify-ca"
                      : tree_yes(p, "ssl.require")     ? "required"
                                                       : "preferred");
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        import_put(entry, files[i].key, tree_word(p, files[i].name));
    if (text_equal(tree_word(p, "ssl.method"), "KEYSTORE"))
        import_leave(entry, "tls_ca", "in a Java key store");
    if (tree_yes(p, "ssl.public.key.retrieve"))
        import_put(entry, KEY_server_public_key, "yes");
}

static void take_auth(struct import_entry *entry, const json_t *config, const json_t *secrets)
{
    const json_t *mine = json_object_get(secrets, "#connection");
    const char *model = tree_word(config, "auth-model"), *secret = tree_word(mine, "password");

    import_put(entry, KEY_user,
               *tree_word(mine, "user") ? tree_word(mine, "user") : tree_word(config, "user"));
    if (*model && !text_equal(model, "native"))
        import_leave(entry, "auth-model", "unknown kind: set auth");
    else
        import_password(entry, secret, strlen(secret));
}

static bool is_mysql(const json_t *connection)
{
    return text_equal(tree_word(connection, "provider"), "mysql") ||
           text_equal(tree_word(connection, "provider"), "mariadb");
}

static void take_connection(const json_t *root, const json_t *connection, const json_t *secrets,
                            struct import_list *list)
{
    const json_t *config = json_object_get(connection, "configuration");
    const char *label = tree_word(connection, "name");
    size_t before = list->count;

    if (!is_mysql(connection)) {
        import_skip(list, label, "not MySQL");
        return;
    }
    if (text_equal(tree_word(config, "configurationType"), "URL"))
        import_url(list, label, tree_word(config, "url"));
    else
        (void)import_add(list, label);
    if (list->count == before)
        return;
    struct import_entry *entry = &list->entry[list->count - 1];
    if (*tree_word(connection, "folder"))
        entry->group = mem_strdup(tree_word(connection, "folder"));
    if (!text_equal(tree_word(config, "configurationType"), "URL")) {
        import_put(entry, KEY_host, tree_word(config, "host"));
        import_port(entry, tree_word(config, "port"));
        import_put(entry, KEY_database, tree_word(config, "database"));
    }
    take_auth(entry, config, secrets);
    take_ssh(entry, handler(root, config, "ssh_tunnel"), secrets);
    take_tls(entry, handler(root, config, "mysql_ssl"));
}

static int read_dbeaver(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    AUTO_JSON(root);
    AUTO_JSON(credentials);
    struct err why = ERR_INIT;
    const char *id;
    json_t *connection;

    root = tree_json(text, e);
    if (!root)
        return -1;
    credentials = read_credentials(path, &why);
    if (!credentials)
        import_skip(list, "users and passwords", why.msg);
    json_object_foreach(json_object_get(root, "connections"), id, connection)
        take_connection(root, connection, json_object_get(credentials, id), list);
    return 0;
}

const struct import_format import_dbeaver = {"dbeaver", is_dbeaver, read_dbeaver};
