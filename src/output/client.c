/* SPDX-License-Identifier: MIT */
/*
 * Finds the client and its family. `mysql` may belong to either family (a symlink, a wrapper script), and
 * running it with --version takes seven times as long as an empty process, so the answer is cached by the
 * file's identity.
 */
#include <output/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>

#define UNKNOWN FLAVOUR_UNKNOWN
#define MARIADB FLAVOUR_MARIADB

static const struct row {
    const char *name;
    enum flavour flavour;
} rows[] = {
#define CLIENT(name, flavour) {name, flavour},
#include <model/kinds.def>
};

#define VERSION_TIMEOUT_MS 5000
#define CACHE_MAX 65536

const char *flavour_name(enum flavour f)
{
    return f == FLAVOUR_MARIADB ? "mariadb" : "mysql";
}

void client_release(struct client *c)
{
    free(c->path);
    c->path = NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const struct row *row_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (text_equal(rows[i].name, base_name(path)))
            return &rows[i];
    }
    return NULL;
}

bool client_is_known(const char *path)
{
    return row_of(path);
}

static char *cache_path(void)
{
    AUTO_FREE(char *, folder);

    folder = path_xdg("XDG_CACHE_HOME", ".cache");
    return folder ? mem_printf("%s/broker/clients", folder) : NULL;
}

/* Returns "INODE SIZE MTIME PATH", which identifies the program in the cache; malloced. */
static char *cache_key(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return NULL;
    return mem_printf("%ju %ju %jd.%09ld %s", (uintmax_t)st.st_ino, (uintmax_t)st.st_size,
                      (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, path);
}

/* Looks up the family. Each line of the cache is a family's name, a space and the key. A damaged cache counts
 * as empty. */
static enum flavour cache_get(const char *key)
{
    AUTO_FREE(char *, path);
    AUTO_BUF(text, CACHE_MAX);
    struct err ignored = ERR_INIT;

    path = cache_path();
    if (!path || !key || file_read(path, FILE_TRUSTED, &text, &ignored) != 0)
        return FLAVOUR_UNKNOWN;
    for (enum flavour f = FLAVOUR_MYSQL; f <= FLAVOUR_MARIADB; f++) {
        AUTO_FREE(char *, line);
        line = mem_printf("%s %s\n", flavour_name(f), key);
        const char *at = strstr(buf_str(&text), line);
        if (at && (at == text.data || at[-1] == '\n'))
            return f;
    }
    return FLAVOUR_UNKNOWN;
}

/* Adds an entry at the start of the cache; the oldest are dropped. A file that cannot be trusted is replaced.
 * Failures are ignored. */
static void cache_put(const char *key, enum flavour f)
{
    AUTO_FREE(char *, path);
    AUTO_BUF(old, CACHE_MAX);
    AUTO_BUF(text, 2 * CACHE_MAX);
    struct err ignored = ERR_INIT;

    path = cache_path();
    if (!path || !key || strchr(key, '\n') || file_folder(path, &ignored) < 0)
        return;
    buf_printf(&text, "%s %s\n", flavour_name(f), key);
    if (file_read(path, FILE_TRUSTED, &old, &ignored) < 0)
        (void)unlink(path);
    else if (old.len < CACHE_MAX / 2)
        buf_add(&text, buf_str(&old), old.len);
    (void)file_write(path, buf_str(&text), text.len, 0600, &ignored);
}

static int ask_version(const char *path, int64_t deadline, enum flavour *out, struct err *e)
{
    AUTO_PROC_RESULT(result);
    char *argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "--version", NULL};
    struct proc_run run = {
        .argv = argv, .deadline = clock_deadline(VERSION_TIMEOUT_MS, deadline), .max = 65536};

    if (proc_capture(&run, &result, e) < 0)
        return -1;
    const char *text = secret_bytes(result.out);
    *out = strcasestr(text, "mariadb")                                                 ? FLAVOUR_MARIADB
           : result.status == 0 && (strcasestr(text, "mysql") || strstr(text, "Ver ")) ? FLAVOUR_MYSQL
                                                                                       : FLAVOUR_UNKNOWN;
    if (*out != FLAVOUR_UNKNOWN)
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s: its --version does not mention MySQL or MariaDB", path);
    return err_hint(e, "set client to a mysql or mariadb program");
}

static enum flavour flavour_by_name(const char *path)
{
    AUTO_FREE(char *, real);

    real = path_real(path);
    const struct row *row = real ? row_of(real) : NULL;
    return row ? row->flavour : FLAVOUR_UNKNOWN;
}

static int not_found(const char *name, struct err *e)
{
    if (name && strchr(name, '/'))
        (void)proc_explain_missing(name, e);
    else
        (void)err_set(e, ERR_NOT_FOUND, "%.*s: not found on PATH", name ? proc_name_length(name) : -1,
                      name ? name : "mysql, mariadb");
    return err_hint(e, "install a MySQL or MariaDB client, or set client to its path");
}

int client_find(const char *name, int64_t deadline, struct client *out, struct err *e)
{
    AUTO_FREE(char *, key);

    out->path = proc_find(name ? name : "mysql");
    if (!out->path && !name)
        out->path = proc_find("mariadb");
    if (!out->path)
        return not_found(name, e);
    out->flavour = flavour_by_name(out->path);
    if (out->flavour != FLAVOUR_UNKNOWN)
        return 0;
    key = cache_key(out->path);
    out->flavour = cache_get(key);
    if (out->flavour != FLAVOUR_UNKNOWN)
        return 0;
    if (ask_version(out->path, deadline, &out->flavour, e) < 0)
        return -1;
    cache_put(key, out->flavour);
    return 0;
}

bool client_arg_must_be_first(const char *arg)
{
    static const char *const first[] = {"--defaults-file", "--defaults-extra-file", "--defaults-group-suffix",
                                        "--no-defaults",   "--login-path",          "--no-login-paths",
                                        "--print-defaults"};

    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        size_t n = strlen(first[i]);
        if (strncmp(arg, first[i], n) == 0 && (arg[n] == '\0' || arg[n] == '='))
            return true;
    }
    return false;
}

/* If there is no password (auth = client), nothing is unset, so that the user's own configuration is used. */
void client_environment(const struct connection *c, enum flavour f, bool by_env, struct env_changes *env)
{
    static const char *const scrubbed[] = {"MYSQL_PWD",
                                           "MYSQL_HOST",
                                           "MYSQL_TCP_PORT",
                                           "MYSQL_UNIX_PORT",
                                           "MYSQL_GROUP_SUFFIX",
                                           "LIBMYSQL_PLUGINS",
                                           "LIBMYSQL_PLUGIN_DIR",
                                           "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN",
                                           "MARIADB_TLS_DISABLE_PEER_VERIFICATION",
                                           "MARIADB_PLUGIN_DIR",
                                           "MARIADB_HOST",
                                           "MARIADB_UNIX_PORT",
                                           "MARIADB_GROUP_SUFFIX",
                                           "MARIADB_HOME"};

    if (!c->password)
        return;
    for (size_t i = 0; i < ARRAY_LEN(scrubbed); i++)
        env_unset(env, scrubbed[i]);
    if (f != FLAVOUR_MARIADB)
        env_set(env, "MYSQL_TEST_LOGIN_FILE", "/dev/null");
    if (f == FLAVOUR_UNKNOWN && c->cleartext)
        env_set(env, "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", "1");
    if (by_env)
        env_set_secret(env, "MYSQL_PWD", c->password);
}
