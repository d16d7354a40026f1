/* SPDX-License-Identifier: MIT */
/* Reads and writes docker's credential helper protocol. */
#include <protocol/docker.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/space.h>
#include <model/json.h>

#define USER_MARK ";user="
#define IDENTITY_MAX (8 * 65536)

void docker_release(struct docker_credential *c)
{
    free(c->url);
    free(c->username);
    secret_free(c->secret);
    *c = (struct docker_credential){0};
}

/* --- reading */

static const char *member(const json_t *root, const char *name)
{
    const char *value = json_string_value(json_object_get(root, name));

    return value ? value : "";
}

int docker_parse(const char *text, size_t n, struct docker_credential *out, struct err *e)
{
    AUTO_JSON(root);

    json_use_wiping_memory();
    root = json_loadb(text, n, JSON_DISABLE_EOF_CHECK, NULL);
    if (!json_is_object(root))
        return err_set(e, ERR_DATA, "stdin is not a JSON object");
    const char *url = member(root, "ServerURL"), *user = member(root, "Username"),
               *secret = member(root, "Secret");
    if (!*url || !*user)
        return err_set(e, ERR_DATA, "%s", *url ? DOCKER_NO_USER : DOCKER_NO_URL);
    if (strlen(secret) > SECRET_MAX)
        return err_set(e, ERR_DATA, "the secret has over %d bytes", SECRET_MAX);
    out->url = mem_strdup(url);
    out->username = mem_strdup(user);
    out->secret = secret_from(secret, strlen(secret));
    return 0;
}

char *docker_url(const char *text, size_t n, struct err *e)
{
    size_t lead = space_lead(text, n), end = space_trim(text, n);

    if (lead >= end) {
        (void)err_set(e, ERR_DATA, DOCKER_NO_URL);
        return NULL;
    }
    if (memchr(text, '\0', end)) {
        (void)err_set(e, ERR_DATA, "the server URL contains a NUL byte");
        return NULL;
    }
    return mem_strndup(text + lead, end - lead);
}

/* Recognises every URL scheme for MySQL: mysql, jdbc:mysql, mysql+ssh, mariadb and so on. */
bool docker_is_database(const char *url)
{
    static const char *const names[] = {"mysql", "mariadb"};
    AUTO_FREE(char *, scheme);
    const char *end = strstr(url, "://");

    scheme = mem_strndup(url, end ? (size_t)(end - url) : 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcasestr(scheme, names[i]))
            return true;
    }
    return false;
}

/* --- writing */

/* Appends JSON with <, > and & as \u00XX, as Go writes it; these only occur in strings. */
static void put_as_go(struct buf *out, const char *json)
{
    for (; *json; json++) {
        if (strchr("<>&", *json))
            buf_printf(out, "\\u%04x", (unsigned)*json);
        else
            buf_putc(out, *json);
    }
    buf_putc(out, '\n');
}

static int put_json(const json_t *root, size_t flags, struct buf *out)
{
    char *text = root ? json_dumps(root, flags | JSON_COMPACT) : NULL;

    if (!text)
        return -1;
    put_as_go(out, text);
    json_string_free(text);
    return 0;
}

int docker_print(const struct docker_credential *c, struct buf *out, struct err *e)
{
    AUTO_JSON(root);

    json_use_wiping_memory();
    root = json_pack("{s:s,s:s,s:s}", "ServerURL", c->url, "Username", c->username, "Secret",
                     secret_bytes(c->secret));
    return put_json(root, 0, out) < 0 ? err_set(e, ERR_DATA, "the secret is not UTF-8") : 0;
}

void docker_print_list(const struct docker_credential *list, size_t count, struct buf *out)
{
    AUTO_JSON(root);

    json_use_wiping_memory();
    root = json_object();
    for (size_t i = 0; i < count; i++)
        (void)json_object_set_new(root, list[i].url, json_string(list[i].username));
    (void)put_json(root, JSON_SORT_KEYS, out);
}

/* --- identities */

char *docker_identity_prefix(const char *url)
{
    AUTO_BUF(out, IDENTITY_MAX);

    buf_puts(&out, DOCKER_IDENTITY);
    text_percent_encode(&out, url, strlen(url));
    buf_puts(&out, USER_MARK);
    return buf_take(&out);
}

char *docker_identity(const char *url, const char *username)
{
    AUTO_BUF(out, IDENTITY_MAX);
    AUTO_FREE(char *, prefix);

    prefix = docker_identity_prefix(url);
    buf_puts(&out, prefix);
    text_percent_encode(&out, username, strlen(username));
    return buf_take(&out);
}

bool docker_identity_parse(const char *identity, struct docker_credential *out)
{
    AUTO_BUF(url, IDENTITY_MAX);
    AUTO_BUF(user, IDENTITY_MAX);
    const char *mark = strstr(identity, USER_MARK), *at = identity + strlen(DOCKER_IDENTITY);

    if (!text_starts(identity, DOCKER_IDENTITY) || !mark ||
        !text_percent_decode(&url, at, (size_t)(mark - at)))
        return false;
    mark += strlen(USER_MARK);
    if (!text_percent_decode(&user, mark, strlen(mark)))
        return false;
    out->url = buf_take(&url);
    out->username = buf_take(&user);
    return true;
}
