/*
 * The stock client programs: which one, of which family, and the option file that tells it everything. Rows
 * are in model/kinds.def. The two families take the same protocol and different words; nothing else may know
 * them.
 */
#ifndef OUTPUT_CLIENT_H
#define OUTPUT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/proc.h>
#include <output/connection.h>

enum flavour { FLAVOUR_UNKNOWN, FLAVOUR_MYSQL, FLAVOUR_MARIADB };
const char *flavour_name(enum flavour f); /* "mysql" "mariadb" */

struct client {
    char *path;
    enum flavour flavour;
};
void client_release(struct client *c);

/*
 * Finds the program `name` (NULL: mysql, else mariadb, on PATH) and its family: by its resolved name where
 * that tells, else by --version, remembered in $XDG_CACHE_HOME/broker/clients by path, inode, size and mtime.
 * ERR_NOT_FOUND, ERR_NOT_RUNNABLE; ERR_CONFIG for a program that is neither family.
 */
int client_find(const char *name, int64_t deadline, struct client *out, struct err *e);
/* Whether the path's base name is a row of the client table. */
bool client_is_known(const char *path);

/* An argument that a client accepts only in front of all others, so that it cannot follow ours. */
bool client_arg_must_be_first(const char *arg);

/*
 * The option file's text. For MariaDB a password whose escaped line would pass 4,000 bytes is left out and
 * *by_env set: it must travel as MYSQL_PWD, and the includes are left out with it. ERR_DATA: a password
 * with NUL, or over 60,000 bytes of options.
 */
int client_option_file(const struct connection *c, enum flavour f, struct secret **out, bool *by_env,
                       struct err *e);

/*
 * The same for a program that is no stock client, of which nobody knows who reads it: a driver, a script that
 * runs one. `c` has host and port, and a socket beside them where stock clients are to use that. No level of
 * TLS is said but MariaDB's default taken back: at `required` and stricter TLS is the keeper's.
 */
int client_plain_file(const struct connection *c, struct secret **out, bool *by_env, struct err *e);

/* Unsets what would override our parameters in the client's environment, and sets MYSQL_PWD where `by_env`.
 */
void client_environment(const struct connection *c, enum flavour f, bool by_env, struct env_changes *env);

#endif
