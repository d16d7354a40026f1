/* SPDX-License-Identifier: MIT */
/* Imports MySQL Workbench's connections.xml: GRT objects, each with a driver and a dictionary of parameters.
 */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#include "tree.h"

#define DEPTH_MOST 16

static bool is_workbench(const char *text, size_t n)
{
    return strlen(text) == n && strstr(text, "grt_format") && strstr(text, "<data");
}

/* Returns the child, with any tag, whose `key` attribute has this value. */
static const json_t *by_key(const json_t *object, const char *key)
{
    const json_t *child;
    size_t at = 0;

    while ((child = element_next(object, NULL, &at)) != NULL)
        if (text_equal(element_attribute(child, "key"), key))
            return child;
    return NULL;
}

static const char *parameter(const json_t *parameters, const char *key)
{
    return element_text(by_key(parameters, key));
}

static void take_ssh(struct import_entry *entry, const json_t *p)
{
    const char *host = parameter(p, "sshHost"), *colon = strchr(host, ':');
    AUTO_FREE(char *, name);

    name = mem_strndup(host, colon ? (size_t)(colon - host) : strlen(host));
    import_put_tunnel(entry, TUNNEL_host, name);
    if (colon && !text_equal(colon + 1, "22"))
        import_put_tunnel(entry, TUNNEL_port, colon + 1);
    import_put_tunnel(entry, TUNNEL_user, parameter(p, "sshUserName"));
    import_put_tunnel(entry, TUNNEL_identity, parameter(p, "sshKeyFile"));
}

static void take_tls(struct import_entry *entry, const json_t *p)
{
    static const char *const levels[] = {"disabled", "preferred", "required", "verify-ca", "verify-identity"};
    static const struct {
        const char *name;
        enum key key;
    } files[] = {{"sslCA", KEY_tls_ca},
                 {"sslCert", KEY_tls_cert},
                 {"sslKey", KEY_tls_key},
                 {"sslCipher", KEY_tls_ciphers}};
    unsigned long level;

    if (text_number(parameter(p, "useSSL"), ARRAY_LEN(levels) - 1, &level))
        import_tls(entry, levels[level]);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        import_put(entry, files[i].key, parameter(p, files[i].name));
    if (profile_str(&entry->p, KEY_tls_ca) && !entry->is_tls_said)
        import_tls(entry, "preferred");
}

static void take_rest(struct import_entry *entry, const json_t *p, bool is_ldap)
{
    const char *secret = parameter(p, "password");

    import_put(entry, KEY_user, parameter(p, "userName"));
    import_put(entry, KEY_database, parameter(p, "schema"));
    import_put(entry, KEY_compress, text_equal(parameter(p, "CLIENT_COMPRESS"), "1") ? "yes" : NULL);
    import_put(entry, KEY_cleartext,
               is_ldap || text_equal(parameter(p, "OPT_ENABLE_CLEARTEXT_PLUGIN"), "1") ? "yes" : NULL);
    if (!text_equal(parameter(p, "timeout"), "0"))
        import_put(entry, KEY_connect_timeout, parameter(p, "timeout"));
    import_password(entry, secret, strlen(secret));
}

/* Returns Workbench's hostIdentifier, which is the service name of its keychain entries. */
static char *service_of(const json_t *p, const char *driver)
{
    const char *port = *parameter(p, "port") ? parameter(p, "port") : "3306";

    if (!*parameter(p, "userName"))
        return NULL;
    if (text_ends(driver, "native_socket"))
        return mem_printf("Mysql@local:%s", parameter(p, "socket"));
    if (text_ends(driver, "native_sshtun"))
        return mem_printf("Mysql@%s:%s@%s", parameter(p, "hostName"), port, parameter(p, "sshHost"));
    return mem_printf("Mysql@%s:%s", parameter(p, "hostName"), port);
}

static void take_connection(const json_t *object, struct import_list *list)
{
    const char *driver = element_text(by_key(object, "driver")),
               *label = element_text(by_key(object, "name"));
    const json_t *p = by_key(object, "parameterValues");
    bool is_ldap = text_ends(driver, "ldap_user_password");
    struct import_entry *entry;

    if (!text_starts(driver, "com.mysql.rdbms.mysql.driver.") || (strstr(driver, "ldap") && !is_ldap)) {
        import_skip(list, label, "not a MySQL driver");
        return;
    }
    entry = import_add(list, label);
    if (!entry)
        return;
    if (text_ends(driver, "native_socket")) {
        import_put(entry, KEY_socket, *parameter(p, "socket") ? parameter(p, "socket") : "auto");
    } else {
        import_put(entry, KEY_host, parameter(p, "hostName"));
        import_port(entry, parameter(p, "port"));
    }
    if (text_ends(driver, "native_sshtun"))
        take_ssh(entry, p);
    take_tls(entry, p);
    take_rest(entry, p, is_ldap);
    entry->kept = entry->p.password ? NULL : service_of(p, driver);
}

static void walk(const json_t *element, struct import_list *list, unsigned depth)
{
    const json_t *child;
    size_t at = 0;

    while (depth < DEPTH_MOST && (child = element_next(element, NULL, &at)) != NULL) {
        if (text_equal(element_attribute(child, "struct-name"), "db.mgmt.Connection"))
            take_connection(child, list);
        else
            walk(child, list, depth + 1);
    }
}

static int read_workbench(const char *path, struct buf *text, struct import_list *list, struct err *e)
{
    AUTO_JSON(root);

    (void)path;
    root = tree_xml(text, e);
    if (root)
        walk(root, list, 0);
    return root ? 0 : -1;
}

const struct import_format import_workbench = {"workbench", is_workbench, read_workbench};
