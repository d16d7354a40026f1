/* SPDX-License-Identifier: MIT */
/*
 * The stock client programs: finding one, its family, and the option file for it. Rows are in
 * model/kinds.def. The two families speak the same protocol but have different options; no other module may
 * know these.
 */
#ifndef OUTPUT_CLIENT_H
#define OUTPUT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
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
 * Finds the program `name` (NULL: mysql, else mariadb, on PATH) and its family: by its resolved name if that
 * is enough, else by --version, remembered in $XDG_CACHE_HOME/broker/clients by path, inode, size and mtime.
 * ERR_NOT_FOUND, ERR_NOT_RUNNABLE; ERR_CONFIG for a program that is neither family.
 */
int client_find(const char *name, int64_t deadline, struct client *out, struct err *e);
/* Whether the path's base name is a row of the client table. */
bool client_is_known(const char *path);

/* Whether a client accepts the argument only as its first one, where ours must be. */
bool client_arg_must_be_first(const char *arg);

/*
 * The option file's text. For MariaDB a password whose escaped line would be over 4,000 bytes is left out and
 * *by_env is set: it must be passed as MYSQL_PWD, and the includes are left out too. ERR_DATA: a password
 * with NUL, or over 60,000 bytes of options.
 */
int client_option_file(const struct connection *c, enum flavour f, struct secret **out, bool *by_env,
                       struct err *e);

/*
 * The same for a program that is not a stock client, where any driver, or a script that runs a client, may
 * read the file. `c` has host and port, and also a socket if stock clients should use that. It sets no TLS
 * level, except that it turns MariaDB's default off: at `required` and stricter the keeper makes the TLS.
 */
int client_plain_file(const struct connection *c, struct secret **out, bool *by_env, struct err *e);

/*
 * The option file that `params` prints, for a file of the user's own. ERR_DATA for what this family has no
 * option for. `masked`: the password is a comment.
 */
int client_params_file(const struct connection *c, enum flavour f, bool masked, struct buf *out,
                       struct err *e);
/* The same for drivers and scripts that read [client] alone. */
int client_params_plain(const struct connection *c, bool masked, struct buf *out, struct err *e);
/* ERR_DATA, naming the format, for a TLS level that MariaDB's clients have no options for. */
int client_check_mariadb(const char *format, const struct connection *c, struct err *e);

/* Unsets the variables that would override our parameters in the client's environment, and sets MYSQL_PWD if
 * `by_env`. */
void client_environment(const struct connection *c, enum flavour f, bool by_env, struct env_changes *env);

#endif
