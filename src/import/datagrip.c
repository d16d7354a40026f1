/* SPDX-License-Identifier: MIT */
/*
 * Imports DataGrip's (and other JetBrains programs') dataSources.xml, which holds the shared settings. The
 * user's own settings are in dataSources.local.xml in the same folder, joined by uuid, and the bastions in
 * sshConfigs.xml. Both are read if they exist.
 */
#include "parts.h"

#include <string.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#include "tree.h"

static bool is_datagrip(const char *text, size_t n)
{
    return strlen(text) == n && strstr(text, "<project") && strstr(text, "<data-source");
}

/* The three files. `shared` is dataSources.xml. */
struct datagrip {
    json_t *shared, *local, *ssh;
};

static void datagrip_release(struct datagrip *d)
{
    json_decref(d->shared);
    json_decref(d->local);
    json_decref(d->ssh);
}

/* Reads another file in the folder of `path`; NULL if it is missing or malformed. */
static json_t *read_beside(const char *path, const char *name)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    struct err ignored = ERR_INIT;
    AUTO_BUF(text, IMPORT_BYTES);
    AUTO_FREE(char *, beside);

    if (!path)
        return NULL;
    beside = mem_printf("%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);
    return file_read(beside, FILE_ANY, &text, &ignored) == 0 ? tree_xml(&text, &ignored) : NULL;
}

/* Finds the element with this tag and attribute in any component of the project. */
static const json_t *find(const json_t *project, const char *tag, const char *attribute, const char *value)
{
    const json_t *component, *group, *element;
    size_t i = 0;

    while ((component = element_next(project, "component", &i)) != NULL) {
        size_t j = 0;
        group = element_child(component, "configs") ? element_child(component, "configs") : component;
        while ((element = element_next(group, tag, &j)) != NULL)
            if (*value && text_equal(element_attribute(element, attribute), value))
                return element;
    }
    return NULL;
}

/* Sets a key to a path. $USER_HOME$ becomes ~; other macros are unknown here and are left out. */
static void put_path(struct import_entry *entry, const char *path, int key, bool is_tunnel)
{
    static const char home[] = "$USER_HOME$";
    AUTO_FREE(char *, expanded);

    expanded = text_starts(path, home) ? mem_printf("~%s", path + sizeof home - 1) : mem_strdup(path);
    if (strchr(expanded, '$'))
        import_leave(entry, is_tunnel ? tunnel_key_infos[key].name : key_infos[key].name,
                     "a macro in its path");
    else if (is_tunnel)
        import_put_tunnel(entry, (enum tunnel_key)key, expanded);
    else
        import_put(entry, (enum key)key, expanded);
}

static void take_ssh(struct import_entry *entry, const struct datagrip *d, const json_t *properties)
{
    const char *id = element_child_text(properties, "ssh-config-id");
    const json_t *config = find(d->ssh, "sshConfig", "id", id);
    const char *port = element_attribute(config, "port");

    if (!text_equal(element_child_text(properties, "enabled"), "true"))
        return;
    if (config) {
        import_put_tunnel(entry, TUNNEL_host, element_attribute(config, "host"));
        import_put_tunnel(entry, TUNNEL_user, element_attribute(config, "username"));
        put_path(entry, element_attribute(config, "keyPath"), TUNNEL_identity, true);
    } else if (*element_child_text(properties, "proxy-host")) { /* older versions of DataGrip */
        port = element_child_text(properties, "proxy-port");
        import_put_tunnel(entry, TUNNEL_host, element_child_text(properties, "proxy-host"));
        import_put_tunnel(entry, TUNNEL_user, element_child_text(properties, "user"));
        put_path(entry, element_child_text(properties, "private-key-path"), TUNNEL_identity, true);
    } else {
        import_leave(entry, "via",
                     "its bastion is in sshConfigs.xml, which is not in the folder of this file");
    }
    if (!text_equal(port, "22"))
        import_put_tunnel(entry, TUNNEL_port, port);
}

static void take_tls(struct import_entry *entry, const json_t *config)
{
    static const char *const modes[][2] = {
        {"REQUIRE", "required"}, {"VERIFY_CA", "verify-ca"}, {"VERIFY_FULL", "verify-identity"}};
    static const struct {
        const char *name;
        enum key key;
    } files[] = {{"ca-cert", KEY_tls_ca}, {"client-cert", KEY_tls_cert}, {"client-key", KEY_tls_key}};
    const char *mode = element_child_text(config, "mode"), *level = "required";

    if (!text_equal(element_child_text(config, "enabled"), "true"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (text_equal(mode, modes[i][0]))
            level = modes[i][1];
    import_tls(entry, level);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put_path(entry, element_child_text(config, files[i].name), (int)files[i].key, false);
}

/* Takes the settings of JetBrains' AWS plug-in. */
static void take_aws(struct import_entry *entry, const json_t *source)
{
    static const struct {
        const char *name;
        enum key key;
    } names[] = {{"AWS.RegionId", KEY_region},
                 {"AWS.RdsSigningHost", KEY_sign_host},
                 {"AWS.RdsSigningPort", KEY_sign_port}};
    const json_t *list = element_child(source, "jdbc-additional-properties"), *p;
    size_t at = 0;

    while ((p = element_next(list, "property", &at)) != NULL) {
        const char *name = element_attribute(p, "name"), *value = element_attribute(p, "value");
        if (text_starts(name, "AWS."))
            import_put(entry, KEY_auth, "iam");
        if (text_equal(name, "AWS.CredentialId") && text_starts(value, "profile:"))
            import_put(entry, KEY_aws_profile, value + 8);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (text_equal(name, names[i].name))
                import_put(entry, names[i].key, value);
    }
}

static void take_source(const struct datagrip *d, const json_t *source, struct import_list *list)
{
    const char *label = element_attribute(source, "name"), *url = element_child_text(source, "jdbc-url");
    const json_t *local = find(d->local, "data-source", "uuid", element_attribute(source, "uuid"));
    size_t before = list->count;

    if (!strstr(url, "mysql://") && !strstr(url, "mariadb://")) {
        import_skip(list, label, *url ? "not MySQL" : "no URL: give dataSources.xml");
        return;
    }
    import_url(list, label, url);
    if (list->count == before)
        return;
    struct import_entry *entry = &list->entry[list->count - 1];
    if (*element_attribute(source, "group"))
        entry->group = mem_strdup(element_attribute(source, "group"));
    import_put(entry, KEY_user, element_child_text(local, "user-name"));
    take_aws(entry, source);
    take_aws(entry, local);
    take_ssh(entry, d, element_child(local, "ssh-properties"));
    take_tls(entry, element_child(local, "ssl-config"));
}

static int read_datagrip(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    __attribute__((cleanup(datagrip_release))) struct datagrip d = {0};
    const json_t *component, *source;
    size_t i = 0;

    d.shared = tree_xml(text, e);
    if (!d.shared)
        return -1;
    d.local = read_beside(path, "dataSources.local.xml");
    d.ssh = read_beside(path, "sshConfigs.xml");
    while ((component = element_next(d.shared, "component", &i)) != NULL) {
        size_t j = 0;
        while ((source = element_next(component, "data-source", &j)) != NULL)
            take_source(&d, source, list);
    }
    return 0;
}

const struct import_format import_datagrip = {"datagrip", is_datagrip, read_datagrip};
