/* SPDX-License-Identifier: MIT */
/*
 * Imports property lists: the favourites of Sequel Ace and Sequel Pro, their session files (.spf), and
 * TablePlus's Connections.plist. They keep fields of other connection types, so only those of the current
 * type are used.
 */
#include "parts.h"

#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#include "tree.h"

#define GROUP_DEPTH 16

static bool is_plist(const char *text, size_t n)
{
    return (n > 8 && strncmp(text, "bplist0", 7) == 0) || (strlen(text) == n && strstr(text, "<plist"));
}

/* A field's name in each of Sequel Ace's two formats, and the config key for it. */
struct field_name {
    const char *favourite, *session;
    int key;
};

static const char *word(const json_t *f, const char *favourite, const char *session)
{
    const char *found = tree_word(f, favourite);

    return *found || !session ? found : tree_word(f, session);
}

static bool yes(const json_t *f, const char *favourite, const char *session)
{
    return tree_yes(f, favourite) || (session && tree_yes(f, session));
}

static void put_all(struct import_entry *entry, const json_t *f, const struct field_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        import_put(entry, (enum key)names[i].key, word(f, names[i].favourite, names[i].session));
}

/* --- favourites of Sequel Ace and Sequel Pro --- */

enum sequel_type { SEQUEL_TCP, SEQUEL_SOCKET, SEQUEL_SSH, SEQUEL_IAM, SEQUEL_VAULT };

static enum sequel_type sequel_type(const json_t *f)
{
    static const struct {
        const char *name;
        enum sequel_type type;
    } names[] = {
        {"1", SEQUEL_SOCKET}, {"SPSocketConnection", SEQUEL_SOCKET},
        {"2", SEQUEL_SSH},    {"SPSSHTunnelConnection", SEQUEL_SSH},
        {"3", SEQUEL_IAM},    {"SPAWSIAMConnection", SEQUEL_IAM},
        {"4", SEQUEL_VAULT},  {"SPVaultConnection", SEQUEL_VAULT},
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (text_equal(tree_word(f, "type"), names[i].name))
            return names[i].type;
    return SEQUEL_TCP;
}

static void sequel_ssh(struct import_entry *entry, const json_t *f)
{
    const char *port = word(f, "sshPort", "ssh_port"),
               *far = word(f, "sshRemoteSocketPath", "ssh_remote_socket_path");

    import_put_tunnel(entry, TUNNEL_host, word(f, "sshHost", "ssh_host"));
    if (!text_equal(port, "22") && !text_equal(port, "0"))
        import_put_tunnel(entry, TUNNEL_port, port);
    import_put_tunnel(entry, TUNNEL_user, word(f, "sshUser", "ssh_user"));
    if (yes(f, "sshKeyLocationEnabled", "ssh_keyLocationEnabled"))
        import_put_tunnel(entry, TUNNEL_identity, word(f, "sshKeyLocation", "ssh_keyLocation"));
    if (*far) {
        import_drop(entry, KEY_host, NULL);
        import_drop(entry, KEY_port, NULL);
        import_put(entry, KEY_socket, far);
    }
    if (*tree_word(f, "ssh_password"))
        import_leave(entry, "ssh_password", "broker password set --tunnel NAME");
}

static void sequel_vault(struct import_entry *entry, const json_t *f)
{
    static const struct field_name names[] = {
        {"vaultOIDCMount", "vault_oidc_mount", KEY_vault_mount},
        {"vaultCredentialsPath", "vault_credentials_path", KEY_vault_path},
    };
    const char *host = word(f, "vaultHost", "vault_host"), *port = word(f, "vaultPort", "vault_port");
    AUTO_FREE(char *, addr);

    import_put(entry, KEY_auth, "vault");
    import_drop(entry, KEY_user, NULL);
    addr = mem_printf("https://%s%s%s", host, *port ? ":" : "", port);
    if (*host)
        import_put(entry, KEY_vault_addr, addr);
    put_all(entry, f, names, ARRAY_LEN(names));
}

static void sequel_tls(struct import_entry *entry, const json_t *f)
{
    static const struct {
        const char *name, *enabled;
        enum key key;
    } files[] = {
        {"sslKeyFileLocation", "sslKeyFileLocationEnabled", KEY_tls_key},
        {"sslCertificateFileLocation", "sslCertificateFileLocationEnabled", KEY_tls_cert},
        {"sslCACertFileLocation", "sslCACertFileLocationEnabled", KEY_tls_ca},
    };

    if (!tree_yes(f, "useSSL"))
        return;
    import_tls(entry, "required");
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (tree_yes(f, files[i].enabled))
            import_put(entry, files[i].key, tree_word(f, files[i].name));
}

static void sequel_rest(struct import_entry *entry, const json_t *f)
{
    const char *zone = tree_word(f, "timeZoneMode"), *compress = tree_word(f, "useCompression");

    import_put(entry, KEY_cleartext, yes(f, "enableClearTextPlugin", NULL) ? "yes" : NULL);
    import_put(entry, KEY_server_public_key, yes(f, "requestServerPublicKey", NULL) ? "yes" : NULL);
    import_put(entry, KEY_compress, *compress && !tree_yes(f, "useCompression") ? NULL : "yes");
    if (tree_yes(f, "allowDataLocalInfile"))
        import_leave(entry, "local_infile", "an import does not enable access to files of this machine");
    if (text_equal(zone, "2"))
        import_put(entry, KEY_time_zone, tree_word(f, "timeZone"));
    else if (text_equal(zone, "1"))
        import_leave(entry, "time_zone", "the system's time zone: broker leaves it to the server");
}

static void sequel_favourite(struct import_list *list, const char *group, const json_t *f)
{
    static const struct field_name common[] = {{"user", NULL, KEY_user}, {"database", NULL, KEY_database}};
    static const struct field_name iam[] = {{"awsProfile", "aws_profile", KEY_aws_profile},
                                            {"awsRegion", "aws_region", KEY_region}};
    struct import_entry *entry = import_add(list, tree_word(f, "name"));
    enum sequel_type type = sequel_type(f);
    const char *secret = tree_word(f, "password");

    if (!entry)
        return;
    entry->group = group && *group ? mem_strdup(group) : NULL;
    put_all(entry, f, common, ARRAY_LEN(common));
    if (type == SEQUEL_SOCKET) {
        import_put(entry, KEY_socket, *tree_word(f, "socket") ? tree_word(f, "socket") : "auto");
    } else {
        import_put(entry, KEY_host, tree_word(f, "host"));
        import_port(entry, tree_word(f, "port"));
    }
    if (type == SEQUEL_SSH)
        sequel_ssh(entry, f);
    if (type == SEQUEL_IAM) {
        import_put(entry, KEY_auth, "iam");
        put_all(entry, f, iam, ARRAY_LEN(iam));
    }
    if (type == SEQUEL_VAULT)
        sequel_vault(entry, f);
    sequel_tls(entry, f);
    sequel_rest(entry, f);
    if (text_equal(list->format, "sequel-ace-session"))
        import_password(entry, secret, strlen(secret));
}

static void sequel_group(struct import_list *list, const char *group, const json_t *nodes, unsigned depth)
{
    json_t *node;
    size_t i;

    json_array_foreach(nodes, i, node)
    {
        const json_t *children = json_object_get(node, "Children");
        if (!children)
            sequel_favourite(list, group, node);
        else if (depth == GROUP_DEPTH)
            import_skip(list, tree_word(node, "Name"), "folders are nested too deeply");
        else
            sequel_group(list, tree_word(node, "Name"), children, depth + 1);
    }
}

/* --- connections of TablePlus --- */

static void tableplus_tls(struct import_entry *entry, const json_t *f)
{
    static const char *const levels[] = {"preferred", "disabled", "required"};
    static const enum key keys[] = {KEY_tls_key, KEY_tls_cert, KEY_tls_ca};
    const char *mode = tree_word(f, "tLSMode");
    const json_t *paths = json_object_get(f, "TlsKeyPaths");
    unsigned long level = 0;

    if (text_number(mode, ARRAY_LEN(levels) - 1, &level))
        import_tls(entry, levels[level]);
    else if (*mode)
        import_leave(entry, "tLSMode", "unknown TLS level");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *path = json_string_value(json_array_get(paths, i));
        import_put(entry, keys[i], path);
    }
}

static void tableplus_connection(struct import_list *list, const json_t *f)
{
    static const struct field_name names[] = {{"DatabaseUser", NULL, KEY_user},
                                              {"DatabaseName", NULL, KEY_database}};
    const char *driver = tree_word(f, "Driver"), *port = tree_word(f, "ServerPort");
    const char *label = tree_word(f, "ConnectionName");
    struct import_entry *entry;

    if (!text_equal(driver, "MySQL") && !text_equal(driver, "MariaDB")) {
        import_skip(list, label, "not MySQL");
        return;
    }
    entry = import_add(list, label);
    if (!entry)
        return;
    put_all(entry, f, names, ARRAY_LEN(names));
    if (tree_yes(f, "isUseSocket")) {
        import_put(entry, KEY_socket, tree_word(f, "DatabaseSocket"));
    } else {
        import_put(entry, KEY_host, tree_word(f, "DatabaseHost"));
        import_port(entry, tree_word(f, "DatabasePort"));
    }
    if (tree_yes(f, "isOverSSH")) {
        import_put_tunnel(entry, TUNNEL_host, tree_word(f, "ServerAddress"));
        if (!text_equal(port, "22"))
            import_put_tunnel(entry, TUNNEL_port, port);
        import_put_tunnel(entry, TUNNEL_user, tree_word(f, "ServerUser"));
        if (tree_yes(f, "isUsePrivateKey"))
            import_leave(entry, "identity", "the file has only the key's name: set tunnel.identity");
    }
    tableplus_tls(entry, f);
}

/* --- reading the file --- */

static void read_root(const json_t *root, struct import_list *list)
{
    const json_t *favourites = tree_at(root, "Favorites Root.Children"),
                 *session = tree_at(root, "data.connection");
    json_t *node;
    size_t i;

    if (!favourites)
        favourites = tree_at(root, "SPConnectionFavorites");
    if (favourites) {
        list->format = "sequel-ace";
        sequel_group(list, NULL, favourites, 0);
    } else if (session) {
        list->format = "sequel-ace-session";
        sequel_favourite(list, NULL, session);
    } else if (json_is_array(root)) {
        list->format = "tableplus";
        json_array_foreach(root, i, node) tableplus_connection(list, node);
    }
}

static int read_plist(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    AUTO_JSON(root);

    (void)path;
    if (text_starts(buf_str(text), "bplist0")) {
        (void)err_set(e, ERR_DATA, "in binary form");
        return err_hint(e, "plutil -convert xml1 FILE");
    }
    root = tree_plist(text, e);
    if (root)
        read_root(root, list);
    return root ? 0 : -1;
}

const struct import_format import_plist = {"plist", is_plist, read_plist};
